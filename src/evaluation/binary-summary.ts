/** What all metrics of one positive class are computed from, for any weights of the films. */
import { calibrationErrors } from "./calibration-error.ts";
import { rankStatistics } from "./ranking.ts";
import { inOrder, sortScores, unitWeights, type Weights } from "./sorted-scores.ts";

export interface Counts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

export interface BinarySummary extends Counts {
  readonly areaUnderRoc: number | null;
  readonly averagePrecision: number | null;
  /** Sums over the films. */
  readonly logLoss: number;
  readonly squaredError: number;
  readonly calibrationError: number | null;
  readonly adaptiveCalibrationError: number | null;
}

export interface DecidedCase {
  /** 1 for positives, 0 for negatives. */
  readonly labels: ArrayLike<number>;
  /** Probability of the positive class. */
  readonly scores: ArrayLike<number>;
  /** 1 where the film is called positive. */
  readonly decisions: ArrayLike<number>;
}

/** Probabilities are clipped here before the logarithm, as scikit-learn did for float64. */
export const LOG_LOSS_CLIP = 1e-15;

/** The natural -log of the probability given to what is true. */
function logLossOf(label: number, score: number): number {
  const p = Math.min(1 - LOG_LOSS_CLIP, Math.max(LOG_LOSS_CLIP, score));
  return -Math.log(label === 1 ? p : 1 - p);
}

/** A function from weights (by film) to the summary: sorts once, then takes O(n) a call. */
export function binarySummaries({
  labels,
  scores,
  decisions,
}: DecidedCase): (weights: Weights) => BinarySummary {
  const sorted = sortScores(labels, scores);
  const losses = Float64Array.from(sorted.scores, (score, place) =>
    logLossOf(sorted.labels[place]!, score),
  );
  // 0 true negative, 1 false positive, 2 false negative, 3 true positive
  const cells = Uint8Array.from(
    sorted.order,
    (film, place) => 2 * sorted.labels[place]! + decisions[film]!,
  );
  const held = new Uint32Array(scores.length);
  return (given) => {
    const weights = inOrder(sorted, given, held);
    const counts = [0, 0, 0, 0];
    let logLoss = 0;
    let squaredError = 0;
    for (let place = 0; place < weights.length; place++) {
      const weight = weights[place]!;
      if (weight === 0) continue;
      const miss = sorted.scores[place]! - sorted.labels[place]!;
      counts[cells[place]!]! += weight;
      logLoss += weight * losses[place]!;
      squaredError += weight * miss * miss;
    }
    const calibration = calibrationErrors(sorted, weights);
    return {
      ...rankStatistics(sorted, weights),
      trueNegatives: counts[0]!,
      falsePositives: counts[1]!,
      falseNegatives: counts[2]!,
      truePositives: counts[3]!,
      logLoss,
      squaredError,
      calibrationError: calibration.expected,
      adaptiveCalibrationError: calibration.adaptive,
    };
  };
}

/** The summary where every film counts once. */
export function binarySummary(decided: DecidedCase): BinarySummary {
  return binarySummaries(decided)(unitWeights(decided.scores.length));
}
