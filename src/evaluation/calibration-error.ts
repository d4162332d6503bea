/**
 * How far probabilities are from how often they come true: the mean over bins of |mean outcome - mean
 * probability|, weighted by the films in the bin. A bin takes its upper edge and leaves its lower one.
 */

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
    outcomes,
    probabilities,
    innerEdges((bins) => bins / CALIBRATION_BINS),
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
  const sorted = Float64Array.from(probabilities).sort();
  return binnedError(
    outcomes,
    probabilities,
    innerEdges((bins) => edgeAfter(sorted, bins)),
  );
}

/** The upper edges of the first, the first two, ... bins; the last bin needs none. */
function innerEdges(upperEdge: (bins: number) => number): number[] {
  return Array.from({ length: CALIBRATION_BINS - 1 }, (_, bin) => upperEdge(bin + 1));
}

/** A quantile between the two nearest ranks, linearly. Source: Hyndman and Fan 1996, definition 7. */
function edgeAfter(sorted: Float64Array, bins: number): number {
  const place = (bins * (sorted.length - 1)) / CALIBRATION_BINS;
  const below = Math.floor(place);
  const low = sorted[below] ?? 0;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (place - below);
}

function binnedError(
  outcomes: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  edges: readonly number[],
): number | null {
  if (outcomes.length === 0) return null;
  const excess = new Float64Array(CALIBRATION_BINS);
  for (let i = 0; i < outcomes.length; i++) {
    const above = edges.findIndex((edge) => probabilities[i]! <= edge);
    excess[above < 0 ? edges.length : above]! += probabilities[i]! - outcomes[i]!;
  }
  return excess.reduce((sum, value) => sum + Math.abs(value), 0) / outcomes.length;
}
