/** Cross-validation: a run for each fold, and what they have in common. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Dataset } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import { predictionsCsv } from "../evaluation/index.ts";
import { writeFileAtomically } from "../files.node.ts";
import type { TrainContext } from "./context.ts";
import { FOLDS_FILES, outOfFold } from "./fold-predictions.ts";
import { refuseStrangers } from "./occupancy.ts";
import type { TrainOptions } from "./options.ts";
import { type RunResult, runFolder } from "./run-folder.ts";
import { train } from "./train.ts";

export interface FoldsResult {
  readonly run: string;
  /** Each fold has a model; none of them is the one. */
  readonly model: null;
  readonly bestEpoch: null;
  /** Means over the folds in which the metric is defined. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Standard deviations over the folds (with n - 1); null with fewer than two. */
  readonly deviations: Readonly<Record<string, number | null>>;
  readonly folds: readonly RunResult[];
}

/**
 * Trains on all but one fold, for each of `options.folds`, into `out/fold-1` and so on, and returns
 * means and deviations over them. What each fold's model says of the films it was not trained on is
 * joined in `out/predictions.csv`. Resuming goes on with the first fold that is not finished. Throws
 * what `train` throws.
 */
export async function trainFolds(
  data: Dataset | string,
  options: TrainOptions,
  context: TrainContext,
): Promise<FoldsResult> {
  const folds = foldCount(options);
  const out = resolve(context.out);
  refuseSingleRun(out, context);
  const results: RunResult[] = [];
  for (let fold = 1; fold <= folds; fold++) {
    context.onEvent?.({ kind: "fold", fold, folds });
    const own = { ...context, out: join(out, `fold-${fold}`) };
    results.push(await train(data, { ...options, folds, fold }, own));
  }
  const summary = summaryOf(results.map(({ metrics }) => metrics));
  const predictions = await outOfFold(results.map(({ run }) => runFolder(run)));
  writeOnce(join(out, FOLDS_FILES.predictions), predictionsCsv(predictions));
  // Last, for it says that all folds are finished.
  writeOnce(join(out, FOLDS_FILES.summary), `${JSON.stringify({ folds, ...summary }, null, 2)}\n`);
  return { run: out, model: null, bestEpoch: null, ...summary, folds: results };
}

function foldCount({ folds, fold }: TrainOptions): number {
  if (fold !== undefined && fold !== null)
    throw new HilumError(
      "invalid-option",
      `Option fold is ${fold}, but all folds are to be trained. Leave it out, or train that fold alone by train.`,
      { option: "fold", value: fold },
    );
  if (typeof folds === "number" && Number.isInteger(folds) && folds >= 2 && folds <= 100)
    return folds;
  throw new HilumError(
    "invalid-option",
    `Option folds is ${folds}; it has to be a whole number from 2 to 100.`,
    { option: "folds", value: folds },
  );
}

function refuseSingleRun(out: string, { isResumed }: TrainContext): void {
  const refuse = (problem: string): never => {
    throw new HilumError("run-exists", `${out} ${problem}`, { run: out });
  };
  if (runFolder(out).state() !== "absent")
    refuse("holds a run of one model, not of folds. Choose another --out.");
  if (isResumed) return;
  if (existsSync(join(out, "fold-1")))
    refuse("holds folds already. Go on with them by --resume, or choose another --out.");
  refuseStrangers(out);
}

type Metrics = RunResult["metrics"];

/** Mean and standard deviation by metric, over the folds in which it is defined. */
export function summaryOf(results: readonly Metrics[]): { metrics: Metrics; deviations: Metrics } {
  const names = Object.keys(results[0] ?? {});
  const valuesOf = (name: string) =>
    results.map((metrics) => metrics[name] ?? null).filter((value) => value !== null);
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = (values: readonly number[]) => {
    if (values.length < 2) return null;
    const centre = mean(values)!;
    const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
    return Math.sqrt(squares / (values.length - 1));
  };
  const by = (statistic: (values: readonly number[]) => number | null) =>
    Object.fromEntries(names.map((name) => [name, statistic(valuesOf(name))]));
  return { metrics: by(mean), deviations: by(deviation) };
}

/** A finished cross-validation is not touched again. */
function writeOnce(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileAtomically(path, text);
}
