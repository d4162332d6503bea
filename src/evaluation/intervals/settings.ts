import { HilumError } from "../../errors.ts";

export interface IntervalOptions {
  /** One for each prediction; without them every image is its own patient. */
  readonly patients?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** Bootstrap rounds; 0 computes the values without any interval. */
  readonly rounds?: number | undefined;
  /** The share of intervals that hold the true value. */
  readonly level?: number | undefined;
}

export interface IntervalSettings {
  readonly level: number;
  readonly rounds: number;
  readonly seed: number;
}

export const DEFAULT_INTERVALS: IntervalSettings = { level: 0.95, rounds: 2000, seed: 0 };

/** Fewer rounds leave nothing beyond the quantiles that an interval needs. */
const FEWEST_ROUNDS = 100;

/** The options with their defaults. Throws `invalid-option`. */
export function intervalSettings({
  level = DEFAULT_INTERVALS.level,
  rounds = DEFAULT_INTERVALS.rounds,
  seed = DEFAULT_INTERVALS.seed,
}: IntervalOptions): IntervalSettings {
  if (!(level > 0 && level < 1)) refuse("level", level, "must lie between 0 and 1, as 0.95 does");
  if (!Number.isSafeInteger(rounds) || (rounds !== 0 && rounds < FEWEST_ROUNDS))
    refuse("rounds", rounds, `must be at least ${FEWEST_ROUNDS}, or 0 for no intervals`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    refuse("seed", seed, "must be a whole number from 0");
  return { level, rounds, seed };
}

function refuse(option: string, value: number, problem: string): never {
  throw new HilumError("invalid-option", `Option ${option}: ${value} ${problem}.`, {
    option,
    value,
  });
}
