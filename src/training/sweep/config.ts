/** What a sweep is: written once, read by every worker. */
import { assert } from "../../errors.ts";
import type { TrainOptions } from "../options.ts";
import type { PrunerName } from "./pruners/index.ts";
import type { SamplerName } from "./samplers/index.ts";
import type { Params, Space } from "./space.ts";
import type { Direction } from "./trial.ts";

/** What may be spent; null is no bound. A sweep ends at the first that is reached. */
export interface Budget {
  readonly trials: number | null;
  /** While any worker was at work. */
  readonly seconds: number | null;
  /** Films trained on, repeats included. */
  readonly images: number | null;
}

export interface Objective {
  /** A validation metric, or `latency`: milliseconds to read one film. */
  readonly name: string;
  readonly direction: Direction;
}

export interface SweepConfig {
  readonly format: 1;
  readonly hilum: string;
  /** Absolute path of the data set. */
  readonly data: string;
  readonly model: string;
  readonly space: Space;
  /** The first trial's: the recipe, which is known to work; null where the space leaves it out. */
  readonly first: Params | null;
  /** Options of training that all trials have alike. */
  readonly options: TrainOptions;
  readonly objectives: readonly Objective[];
  readonly sampler: SamplerName;
  readonly pruner: PrunerName;
  readonly folds: number | null;
  /** Share of the patients that no trial sees. */
  readonly holdout: number | null;
  readonly seed: number;
  /** Of each trial. */
  readonly threads: number;
  /** Reports of a whole trial: epochs, or folds. */
  readonly steps: number;
  readonly budget: Budget;
}

export const LATENCY = "latency";

/** The one that training measures. */
export function metricObjective(objectives: readonly Objective[]): Objective {
  const found = objectives.find(({ name }) => name !== LATENCY);
  assert(found, "a sweep has a metric among its objectives");
  return found;
}

/** Whether all trials are heads on a frozen backbone, so that their reports are the head's own epochs. */
export function triesHeads({
  options,
  space,
  objectives,
}: Pick<SweepConfig, "options" | "space" | "objectives">): boolean {
  return (space.fixed.epochs ?? options.epochs) === 0 && objectives.length === 1;
}
