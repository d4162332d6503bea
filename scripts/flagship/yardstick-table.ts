/** What held-out films say of the recipes: with intervals by patient, and against the shipped one. */
import {
  compareModels,
  evaluatePredictions,
  type IntervalOptions,
  type MetricDifference,
  type MetricValue,
  type Prediction,
} from "../../src/evaluation/index.ts";
import { calibratedBy, type HeldOut } from "./held-out.ts";

/** Recipes by name, each with its held-out clusters (and seeds) in one order. */
export type HeldByRecipe = Readonly<Record<string, readonly HeldOut[]>>;

/** Which films, and what is measured of them by which probabilities. */
const POOLS = ["clean", "pooled"] as const;
const MEASURES = {
  auroc: { metric: "auroc", by: "calibrated" },
  "sensitivity at 0.5": { metric: "sensitivity", by: "plain" },
  "specificity at 0.5": { metric: "specificity", by: "plain" },
  "sensitivity at the fitted threshold": { metric: "sensitivity", by: "placed" },
  "specificity at the fitted threshold": { metric: "specificity", by: "placed" },
} as const;

export interface YardstickRow {
  readonly recipe: string;
  /** The films as they are, or these and ten changed versions of each. */
  readonly pool: (typeof POOLS)[number];
  readonly n: number;
  readonly patients: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** The shipped recipe less this one; absent of the shipped one, and where that one was left out. */
  readonly gain?: Readonly<Record<string, MetricDifference>>;
}

const logit = (p: number): number => {
  const kept = Math.min(Math.max(p, 1e-12), 1 - 1e-12);
  return Math.log(kept / (1 - kept));
};

/**
 * Probabilities that many models' films can be put together by: the network's own, calibrated ones, and
 * calibrated ones moved so that each model's own threshold comes to lie at 0.5.
 */
const PROBABILITIES: Readonly<
  Record<"plain" | "calibrated" | "placed", (held: HeldOut, p: ArrayLike<number>) => number[]>
> = {
  plain: (_, p) => Array.from(p),
  calibrated: calibratedBy,
  placed(held, p) {
    const moved = logit(calibratedBy(held, p)[1]!) - logit(held.threshold);
    const placed = 1 / (1 + Math.exp(-moved));
    return [1 - placed, placed];
  },
};

/** A row for each pool and recipe; `shipped` names the one that the others are held against, if it is there. */
export function yardstickRows(
  held: HeldByRecipe,
  shipped: string,
  intervals: Omit<IntervalOptions, "patients"> = {},
): YardstickRow[] {
  return POOLS.flatMap((pool) =>
    Object.entries(held).map(([recipe, parts]): YardstickRow => {
      const patients = parts.flatMap((part) => chosen(part, pool).map(({ patient }) => patient));
      const { task } = parts[0]!.plain;
      const of = (name: string, by: keyof typeof PROBABILITIES) =>
        held[name]!.flatMap((part) =>
          chosen(part, pool).map(
            ({ prediction: { target, probabilities } }): Prediction => ({
              target,
              probabilities: PROBABILITIES[by](part, probabilities),
            }),
          ),
        );
      const options = { ...intervals, patients };
      const ways = Object.keys(PROBABILITIES) as (keyof typeof PROBABILITIES)[];
      const measured = new Map(
        ways.map((by) => [by, evaluatePredictions(of(recipe, by), task, options).metrics]),
      );
      const compared = new Map(
        recipe === shipped || !(shipped in held)
          ? []
          : ways.map((by) => {
              const models = [shipped, recipe].map((name) => ({ name, predictions: of(name, by) }));
              return [by, compareModels(models, task, options)[0]!.differences] as const;
            }),
      );
      const each = <T>(from: ReadonlyMap<string, Readonly<Record<string, T>>>) =>
        Object.fromEntries(
          Object.entries(MEASURES).map(([name, { metric, by }]) => [name, from.get(by)![metric]!]),
        );
      return {
        recipe,
        pool,
        n: patients.length,
        patients: new Set(patients).size,
        metrics: each(measured),
        ...(compared.size > 0 ? { gain: each(compared) } : {}),
      };
    }),
  );
}

function chosen({ plain }: HeldOut, pool: YardstickRow["pool"]) {
  return plain.keys.flatMap((_, index) =>
    pool === "clean" && plain.columns.corruption![index] !== "none"
      ? []
      : [{ patient: plain.patients[index]!, prediction: plain.predictions[index]! }],
  );
}

/** The rows as Markdown: value and interval, below it what the shipped recipe gains. */
export function yardstickMarkdown(rows: readonly YardstickRow[]): string {
  const names = Object.keys(MEASURES);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = rows.flatMap(({ recipe, pool, metrics, gain }) => [
    line([`${recipe}, ${pool}`, ...names.map((name) => shown(metrics[name]!, ""))]),
    ...(gain
      ? [line([`shipped less ${recipe}, ${pool}`, ...names.map((name) => shown(gain[name]!, "+"))])]
      : []),
  ]);
  return [line(["recipe", ...names]), line(["---", ...names.map(() => "---")]), ...lines].join(
    "\n",
  );
}

function shown({ value, low, high }: MetricValue, plus: "" | "+"): string {
  if (value === null) return "not defined";
  const number = (x: number) => `${x > 0 ? plus : ""}${x.toFixed(3)}`;
  return low === null ? number(value) : `${number(value)} (${number(low)} to ${number(high!)})`;
}
