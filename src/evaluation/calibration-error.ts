/**
 * How far probabilities are from how often they come true: the mean over bins of |mean outcome - mean
 * probability|, weighted by the films in the bin. A bin takes its upper edge and leaves its lower one.
 */
import { quantile } from "./intervals/bca.ts";
import { type SortedScores, sortScores, unitWeights, type Weights } from "./sorted-scores.ts";

/** As in Guo et al. 2017. */
export const CALIBRATION_BINS = 15;

/** Null without films. */
export interface CalibrationErrors {
  /**
   * With bins of equal width. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks",
   * equation 3.
   */
  readonly expected: number | null;
  /**
   * With bins of equally many films, their edges quantiles of the probabilities, so that equal ones
   * share a bin. Source: Nixon et al. 2019, "Measuring Calibration in Deep Learning", section 3.2.
   */
  readonly adaptive: number | null;
  /**
   * Mean probability less mean outcome, times the share of the films, of each bin of `expected` and
   * then of each bin of `adaptive` at the edges of all films once: their absolute values add up to
   * the errors. NaN without films.
   */
  readonly gaps: readonly number[];
}

/** `outcomes` are 1 where what the probability speaks of is true. */
export function calibrationErrors(
  outcomes: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): CalibrationErrors {
  return weightedCalibrationErrors(sortScores(outcomes, probabilities))(
    unitWeights(probabilities.length),
  );
}

/** A function from weights (in the order of the probabilities) to the errors. */
export function weightedCalibrationErrors({
  scores,
  labels,
}: SortedScores): (weights: Weights) => CalibrationErrors {
  const excess = scores.map((score, place) => score - labels[place]!);
  // Sums over what comes before a place.
  const weightBefore = new Float64Array(scores.length + 1);
  const excessBefore = new Float64Array(scores.length + 1);
  const endsOfAll = INNER_BINS.map((bin) =>
    firstAbove(scores, quantile(scores, bin / CALIBRATION_BINS)),
  );
  const equalEnds = INNER_BINS.map((bin) => firstAbove(scores, bin / CALIBRATION_BINS));

  /** Quantiles between the two nearest ranks, linearly. Source: Hyndman and Fan 1996, definition 7. */
  const weightedQuantile = (share: number, total: number): number => {
    const place = share * (total - 1);
    const below = Math.floor(place);
    const low = scoreOfRank(below);
    return below + 1 < total ? low + (scoreOfRank(below + 1) - low) * (place - below) : low;
  };
  /** A film of weight 2 takes two ranks. */
  const scoreOfRank = (rank: number): number => scores[firstAbove(weightBefore, rank) - 1]!;
  const gapsBetween = (ends: readonly number[], total: number): number[] => {
    let before = 0;
    return [...ends, scores.length].map((end) => {
      const gap = excessBefore[end]! - before;
      before = excessBefore[end]!;
      return gap / total;
    });
  };

  return (weights) => {
    let [weight, sum] = [0, 0];
    for (let place = 0; place < weights.length; place++) {
      weight += weights[place]!;
      sum += weights[place]! * excess[place]!;
      weightBefore[place + 1] = weight;
      excessBefore[place + 1] = sum;
    }
    if (weight === 0) return { expected: null, adaptive: null, gaps: NO_GAPS };
    const equalGaps = gapsBetween(equalEnds, weight);
    const adaptiveEnds = INNER_BINS.map((bin) =>
      firstAbove(scores, weightedQuantile(bin / CALIBRATION_BINS, weight)),
    );
    return {
      expected: sizeOf(equalGaps),
      adaptive: sizeOf(gapsBetween(adaptiveEnds, weight)),
      gaps: [...equalGaps, ...gapsBetween(endsOfAll, weight)],
    };
  };
}

const sizeOf = (gaps: readonly number[]): number =>
  gaps.reduce((sum, gap) => sum + Math.abs(gap), 0);

const NO_GAPS: readonly number[] = new Array(2 * CALIBRATION_BINS).fill(Number.NaN);

/** The numbers of bins below each inner edge. */
const INNER_BINS = Array.from({ length: CALIBRATION_BINS - 1 }, (_, bin) => bin + 1);

/** The first place with more than `value`, in what only rises. */
function firstAbove(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
