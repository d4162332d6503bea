/** The interval of a sum of absolute gaps, which chance alone makes larger than it is. */
import { type Resampled, tooFewRounds } from "./bootstrap.ts";
import type { Interval } from "./wilson.ts";

export interface GapSumInterval extends Interval {
  /** The median-unbiased estimate: the sum without what chance adds to it. */
  readonly debiased: number;
}

const STEPS = 40;

/**
 * All true sums that make the measured one neither too small nor too large to be likely. The true
 * gaps are taken to be the measured ones times a factor, and the measured gaps to vary about them as
 * those of the rounds do about the measured ones. At factor 0 this is the test of calibration by
 * resampling, and the interval begins at 0 where that finds nothing.
 * Sources: Carpenter 1999, "Test inversion bootstrap confidence intervals"; Broecker and Smith 2007,
 * "Increasing the reliability of reliability diagrams", for the case of no gap.
 */
export function gapSumInterval(
  gaps: readonly number[],
  resampled: readonly Resampled[],
  level: number,
): GapSumInterval | { readonly reason: string } {
  const rounds = resampled[0]!.replicates.length;
  const defined = Array.from({ length: rounds }, (_, round) => round).filter((round) =>
    resampled.every(({ replicates }) => !Number.isNaN(replicates[round]!)),
  );
  const reason = tooFewRounds(defined.length, rounds);
  if (reason !== null) return { reason };
  const measured = gaps.reduce((sum, gap) => sum + Math.abs(gap), 0);
  const chance = Float64Array.from(
    defined.flatMap((round) => gaps.map((gap, bin) => resampled[bin]!.replicates[round]! - gap)),
  );
  if (chance.every((value) => value === 0))
    return { reason: "every bootstrap round gives the same value" };

  /** The share of rounds, with true gaps of so many times the measured ones, of a smaller sum. */
  const shareBelow = (factor: number): number => {
    let below = 0;
    for (let start = 0; start < chance.length; start += gaps.length) {
      let sum = 0;
      for (let bin = 0; bin < gaps.length; bin++)
        sum += Math.abs(factor * gaps[bin]! + chance[start + bin]!);
      if (sum < measured) below++;
      else if (sum === measured) below += 0.5;
    }
    return below / defined.length;
  };
  /** The true sum under which the measured one stands at this share of the rounds. */
  const sumAt = (share: number): number => {
    if (shareBelow(0) <= share) return 0;
    let [low, high] = [0, 1];
    while (shareBelow(high) > share && high < 2 ** STEPS) high *= 2;
    for (let step = 0; step < STEPS; step++) {
      const middle = (low + high) / 2;
      if (shareBelow(middle) > share) low = middle;
      else high = middle;
    }
    return Math.min(1, measured * high);
  };
  return {
    low: sumAt((1 + level) / 2),
    high: sumAt((1 - level) / 2),
    debiased: sumAt(0.5),
  };
}
