/** The pruners by name: each a pure function of the trial that reported, and of all others. */
import type { Observation } from "../trial.ts";
import { isHalved } from "./halving.ts";
import { isOutOfBand } from "./hyperband.ts";
import { isBelowMedian } from "./median.ts";

export interface PrunerPoint {
  /** Steps of a whole trial. */
  readonly steps: number;
  readonly seed: number;
}

type Pruner = (trial: Observation, trials: readonly Observation[], point: PrunerPoint) => boolean;

export const PRUNERS = {
  asha: (trial, trials) => isHalved(trial, trials),
  hyperband: isOutOfBand,
  median: isBelowMedian,
  none: () => false,
} as const satisfies Readonly<Record<string, Pruner>>;

export type PrunerName = keyof typeof PRUNERS;
export const PRUNER_NAMES = Object.keys(PRUNERS) as PrunerName[];
