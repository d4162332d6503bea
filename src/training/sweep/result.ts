/** What came of a sweep, as plain data. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { labelsOf, type Task } from "../../datasets/index.ts";
import { isBetter } from "../../evaluation/index.ts";
import { runFolder } from "../run-folder.ts";
import { LATENCY, type Objective, type SweepConfig } from "./config.ts";
import type { Holdout } from "./holdout.ts";
import { type Optimism, optimismOf } from "./optimism.ts";
import { nondominationRanks } from "./pareto.ts";
import type { Params } from "./space.ts";
import { readPredictions, SWEEP_FILES, trialFolder } from "./sweep-folder.ts";
import { trainCommand } from "./train-command.ts";
import { lossOf, type Trial } from "./trial.ts";

export interface TrialResult {
  readonly number: number;
  readonly state: "complete" | "pruned" | "failed";
  readonly params: Params;
  /** The first objective; of a pruned trial where it stood, null where it is not defined. */
  readonly value: number | null;
  /** Every objective by name; of complete trials only. */
  readonly values: Readonly<Record<string, number | null>>;
  readonly seconds: number;
  readonly error: string | null;
}

export interface SweepResult {
  readonly sweep: string;
  readonly objectives: readonly { readonly name: string; readonly direction: string }[];
  readonly trials: readonly TrialResult[];
  /** Null where no trial was complete. */
  readonly best: (TrialResult & { readonly run: string; readonly model: string | null }) | null;
  /** Numbers of the trials that no other beats in every objective; by the first of them. */
  readonly pareto: readonly number[];
  /** Null with several objectives, and where too little was complete to say. */
  readonly optimism: Optimism | null;
  /** The best and the recipe on patients that no trial saw; null where none were held out. */
  readonly holdout: Holdout | null;
  /** Trains the best configuration. */
  readonly command: string | null;
  /** The winner trained anew on all folds' data, where that was asked for. */
  readonly refit: string | null;
}

/** The result of the trials that have ended. */
export function sweepResult(
  sweep: string,
  config: SweepConfig,
  trials: readonly Trial[],
  { task, holdout = null }: { readonly task?: Task; readonly holdout?: Holdout | null } = {},
): SweepResult {
  const { objectives } = config;
  const ended = trials
    .filter(({ state }) => state !== "running")
    .map((trial) => resultOf(trial, config));
  const complete = ended.filter(({ state, value }) => state === "complete" && value !== null);
  const best = complete.reduce<TrialResult | null>(
    (top, trial) =>
      isBetter(trial.value!, top?.value ?? null, objectives[0]!.direction) ? trial : top,
    null,
  );
  const refit = join(sweep, SWEEP_FILES.refit);
  return {
    sweep,
    objectives,
    trials: ended,
    best: best && { ...best, ...runOf(sweep, best.number, config) },
    pareto: paretoOf(complete, config),
    optimism: (task && optimismAmong(sweep, config, complete, task)) ?? null,
    holdout,
    command: best && trainCommand(config, best.params, join(sweep, "best")),
    refit: runFolder(refit).state() === "finished" ? refit : null,
  };
}

function resultOf(
  { number, state, params, values, reports, seconds, error }: Trial,
  { objectives }: SweepConfig,
): TrialResult {
  const named = objectives.map(({ name }, index) => [name, values[index] ?? null] as const);
  return {
    number,
    state: state as TrialResult["state"],
    params,
    value: state === "complete" ? (values[0] ?? null) : reportedOf(reports, objectives[0]!),
    values: state === "complete" ? Object.fromEntries(named) : {},
    seconds: Math.round(seconds * 100) / 100,
    error,
  };
}

/** Reports are of the metric: how a trial that was stopped stood in latency nobody knows. */
function reportedOf(reports: Trial["reports"], { name }: Objective): number | null {
  return name === LATENCY ? null : (reports.at(-1)?.value ?? null);
}

function runOf(sweep: string, number: number, { folds }: SweepConfig) {
  const run = trialFolder(sweep, number);
  const model = runFolder(run).file("model");
  return { run, model: folds === null && existsSync(model) ? model : null };
}

function paretoOf(complete: readonly TrialResult[], { objectives }: SweepConfig): number[] {
  const losses = complete.map(({ values }) =>
    objectives.map(({ name, direction }) => lossOf(values[name], direction)),
  );
  const ranks = nondominationRanks(losses);
  return complete
    .map(({ number }, index) => ({ number, loss: losses[index]![0]!, rank: ranks[index]!.rank }))
    .filter(({ rank }) => rank === 0)
    .sort((a, b) => a.loss - b.loss)
    .map(({ number }) => number);
}

function optimismAmong(
  sweep: string,
  { objectives, folds, seed }: SweepConfig,
  complete: readonly TrialResult[],
  task: Task,
): Optimism | undefined {
  const [objective] = objectives;
  if (objectives.length > 1 || labelsOf(task).length < 2) return undefined;
  const saved = complete.flatMap(({ number }) => readPredictions(sweep, number, folds) ?? []);
  return saved.length < 2 ? undefined : optimismOf(saved, task, objective!, seed);
}
