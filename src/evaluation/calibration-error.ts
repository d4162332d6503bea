/**
 * How far probabilities are from how often they come true: the mean over bins of |mean outcome - mean
 * probability|, weighted by the films in the bin. A bin takes its upper edge and leaves its lower one.
 */
import { type SortedScores, sortScores, unitWeights, type Weights } from "./sorted-scores.ts";

/** As in Guo et al. 2017. */
export const CALIBRATION_BINS = 15;

/**
 * With bins of equal width; null without films. `outcomes` are 1 where what the probability speaks
 * of is true. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
 */
export function expectedCalibrationError(
  outcomes: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): number | null {
  return binnedError(
    sortScores(outcomes, probabilities),
    unitWeights(probabilities.length),
    EQUAL_EDGES,
  );
}

/**
 * With bins of equally many films, their edges quantiles of the probabilities, so that equal ones
 * share a bin; null without films.
 * Source: Nixon et al. 2019, "Measuring Calibration in Deep Learning", section 3.2.
 */
export function adaptiveCalibrationError(
  outcomes: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): number | null {
  const sorted = sortScores(outcomes, probabilities);
  const weights = unitWeights(probabilities.length);
  return binnedError(sorted, weights, quantileEdges(sorted.scores, weights));
}

/** The upper edges of the bins but the last, which needs none. */
const EQUAL_EDGES = Float64Array.from(
  { length: CALIBRATION_BINS - 1 },
  (_, bin) => (bin + 1) / CALIBRATION_BINS,
);

/** Both errors; `weights` in the order of the probabilities. */
export function calibrationErrors(
  sorted: SortedScores,
  weights: Weights,
): { readonly expected: number | null; readonly adaptive: number | null } {
  return {
    expected: binnedError(sorted, weights, EQUAL_EDGES),
    adaptive: binnedError(sorted, weights, quantileEdges(sorted.scores, weights)),
  };
}

/** Quantiles between the two nearest ranks, linearly. Source: Hyndman and Fan 1996, definition 7. */
function quantileEdges(sorted: Float64Array, weights: Weights): Float64Array {
  let total = 0;
  for (let place = 0; place < weights.length; place++) total += weights[place]!;
  const lower = scoreByRank(sorted, weights);
  const upper = scoreByRank(sorted, weights);
  return EQUAL_EDGES.map((_, bin) => {
    const place = ((bin + 1) * Math.max(0, total - 1)) / CALIBRATION_BINS;
    const below = Math.floor(place);
    const low = lower(below);
    const high = below + 1 < total ? upper(below + 1) : low;
    return low + (high - low) * (place - below);
  });
}

/** The score of a rank, where a film of weight 2 takes two ranks. The ranks asked for may not fall. */
function scoreByRank(sorted: Float64Array, weights: Weights): (rank: number) => number {
  let at = 0;
  let reached = weights[0] ?? 0;
  return (rank) => {
    while (reached <= rank && at + 1 < sorted.length) reached += weights[++at]!;
    return sorted[at] ?? 0;
  };
}

function binnedError(
  { scores, labels }: SortedScores,
  weights: Weights,
  edges: Float64Array,
): number | null {
  let total = 0;
  let sum = 0;
  let excess = 0;
  let bin = 0;
  for (let place = 0; place < scores.length; place++) {
    const weight = weights[place]!;
    if (weight === 0) continue;
    const score = scores[place]!;
    while (bin < edges.length && score > edges[bin]!) {
      sum += Math.abs(excess);
      excess = 0;
      bin++;
    }
    total += weight;
    excess += weight * (score - labels[place]!);
  }
  return total === 0 ? null : (sum + Math.abs(excess)) / total;
}
