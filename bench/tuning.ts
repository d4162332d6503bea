/** `bench tuning`: how soon searches find what a random one finds, over seeds, on recorded head trials. */
import { writeFileSync } from "node:fs";
import { table } from "../src/cli/table.ts";
import { selectionDirection } from "../src/evaluation/index.ts";
import { randomStream } from "../src/random.ts";
import type { Space } from "../src/training/sweep/space.ts";
import { describeMachine, machineNow, ourVersions } from "./machine.ts";
import { type Objective, objectiveOf } from "./tuning-objective.ts";
import { optunaSearch } from "./tuning-optuna.ts";
import { ourSearch, type Progress, type Search } from "./tuning-search.ts";
import { EPOCHS, type Recording, recorded, tunedSpace } from "./tuning-table.ts";

export interface TuningOptions extends Recording {
  /** Without it Optuna is left out. */
  readonly python?: string | undefined;
  readonly seeds: number;
  /** Of the random search, whose time is every other's. */
  readonly trials: number;
  readonly json?: string | undefined;
}

interface Median {
  /** Null where more than half of the seeds never came there. */
  readonly median: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

interface Row {
  readonly name: string;
  /** Best value (as the metric has it) after a share of the random search's time, and after so many trials. */
  readonly byTime: Readonly<Record<string, Median>>;
  readonly byTrials: Readonly<Record<string, Median>>;
  /** Time to the random search's best, over all that it took, and over the time at which it found it. */
  readonly ofItsTime: Median;
  readonly ofItsFinding: Median;
  /** Seeds in which it came there, within the random search's time. */
  readonly reached: number;
  readonly trialsMade: Median;
}

type Run = (objective: Objective, search: Search) => Promise<Progress> | Progress;

const SHARES = [0.1, 0.25, 0.5, 1];
const ROUNDS = 2000;
const RANDOM = "Hilum: random";

export async function measureTuning(options: TuningOptions): Promise<void> {
  const { seeds, trials, python } = options;
  const machine = await machineNow();
  console.log(describeMachine(machine));
  const known = await recorded(options);
  const space = await tunedSpace(options.weights);
  const objective = objectiveOf(space, known);
  console.log(
    `${known.trials.length} recorded trials of ${EPOCHS} epochs, ${known.metric}; forests rank unseen ones with a correlation of ${objective.fit.toFixed(2)}`,
  );
  const versions: Record<string, string> = ourVersions();
  const runs = runsOf(space, python, (version) => {
    versions.optuna = version;
  });
  const found = new Map<string, Progress[]>(runs.map(([name]) => [name, []]));
  const randoms = found.get(RANDOM)!;
  for (let seed = 1; seed <= seeds; seed++) {
    const random = await runs[0]![1](objective, {
      seed,
      trials,
      seconds: Number.POSITIVE_INFINITY,
    });
    randoms.push(random);
    for (const [name, run] of runs.slice(1)) {
      const search = { seed, trials: Number.POSITIVE_INFINITY, seconds: random.seconds };
      found.get(name)!.push(await run(objective, search));
    }
    console.log(`seed ${seed} of ${seeds}`);
  }
  const metricOf = (loss: number) =>
    selectionDirection(known.metric) === "higher" ? 1 - loss : loss;
  const rows = [...found].map(([name, own]) => rowOf(name, own, randoms, { trials, metricOf }));
  const report = {
    machine,
    versions,
    metric: known.metric,
    recorded: known.trials.length,
    fit: objective.fit,
    dimensions: space.dimensions.map(({ name }) => name),
    seeds,
    trials,
    rows,
  };
  console.log(`\n${textOf(rows, known.metric)}`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** The random search first. */
function runsOf(
  space: Space,
  python: string | undefined,
  onVersion: (version: string) => void,
): (readonly [string, Run])[] {
  const ours =
    (sampler: "tpe" | "random", pruner: "asha" | "none"): Run =>
    (objective, search) =>
      ourSearch({ sampler, pruner }, space, objective, search);
  const optuna =
    (isMultivariate: boolean): Run =>
    async (objective, search) => {
      const { version, ...progress } = await optunaSearch(python!, space, objective, {
        ...search,
        isMultivariate,
      });
      onVersion(version);
      return progress;
    };
  return [
    [RANDOM, ours("random", "none")],
    ["Hilum: TPE, ASHA", ours("tpe", "asha")],
    ["Hilum: random, ASHA", ours("random", "asha")],
    ...(python === undefined
      ? []
      : ([
          ["Optuna: TPE, halving", optuna(false)],
          ["Optuna: multivariate TPE, halving", optuna(true)],
        ] as const)),
  ];
}

function rowOf(
  name: string,
  own: readonly Progress[],
  randoms: readonly Progress[],
  { trials, metricOf }: { readonly trials: number; readonly metricOf: (loss: number) => number },
): Row {
  const bestAt = (isWithin: (milestone: Progress["milestones"][number], seed: number) => boolean) =>
    medianOf(
      own.map(({ milestones }, seed) => {
        const last = milestones.filter((milestone) => isWithin(milestone, seed)).at(-1);
        return last ? metricOf(last.loss) : Number.NaN;
      }),
    );
  const arrivals = own.map(({ milestones }, seed) => {
    const target = randoms[seed]!.milestones.at(-1)!.loss;
    return milestones.find(({ loss }) => loss <= target)?.seconds ?? Number.POSITIVE_INFINITY;
  });
  return {
    name,
    byTime: Object.fromEntries(
      SHARES.map((share) => [
        `${share * 100} %`,
        bestAt(({ seconds }, seed) => seconds <= share * randoms[seed]!.seconds),
      ]),
    ),
    byTrials: Object.fromEntries(
      SHARES.map((share) => Math.round(share * trials)).map((count) => [
        `${count}`,
        bestAt((milestone) => milestone.trials <= count),
      ]),
    ),
    ofItsTime: medianOf(arrivals.map((time, seed) => time / randoms[seed]!.seconds)),
    ofItsFinding: medianOf(
      arrivals.map((time, seed) => time / randoms[seed]!.milestones.at(-1)!.seconds),
    ),
    reached: arrivals.filter(Number.isFinite).length,
    trialsMade: medianOf(own.map((progress) => progress.trials)),
  };
}

/** With the middle 95 % of medians over seeds drawn with replacement. NaN and infinity are null. */
function medianOf(values: readonly number[]): Median {
  const middle = (sample: readonly number[]) => {
    const sorted = sample.toSorted((a, b) => a - b);
    const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1];
    return (sorted[low]! + sorted[high]!) / 2;
  };
  const random = randomStream("tuning bench");
  const medians = Array.from({ length: ROUNDS }, () =>
    middle(values.map(() => values[random.integer(values.length)]!)),
  ).sort((a, b) => a - b);
  const plain = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    median: plain(middle(values)),
    low: plain(medians[Math.floor(0.025 * (ROUNDS - 1))]!),
    high: plain(medians[Math.ceil(0.975 * (ROUNDS - 1))]!),
  };
}

function textOf(rows: readonly Row[], metric: string): string {
  const shown = ({ median, low, high }: Median, digits: number) =>
    [median, low, high]
      .map((value) => value?.toFixed(digits) ?? "never")
      .join(" ")
      .replace(/ (\S+) (\S+)$/, " ($1 to $2)");
  const columns = (of: Row["byTime"]) => Object.values(of).map((value) => shown(value, 4));
  const [first] = rows;
  return [
    `Best ${metric} after a share of the random search's time, medians over seeds:`,
    table(
      rows.map(({ name, byTime }) => [name, ...columns(byTime)]),
      ["", ...Object.keys(first!.byTime)],
    ),
    `\nAfter so many trials:`,
    table(
      rows.map(({ name, byTrials }) => [name, ...columns(byTrials)]),
      ["", ...Object.keys(first!.byTrials)],
    ),
    "\nTime to the random search's best:",
    table(
      rows.map(({ name, ofItsTime, ofItsFinding, reached, trialsMade }) => [
        name,
        shown(ofItsTime, 2),
        shown(ofItsFinding, 2),
        `${reached}`,
        shown(trialsMade, 0),
      ]),
      ["", "of its whole time", "of its time to that", "seeds", "trials"],
    ),
  ].join("\n");
}
