/** What all metrics of one positive class are computed from, for any weights of the films. */
import { weightedCalibrationErrors } from "./calibration-error.ts";
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
  /** Of the bins of the one and then of the other; NaN without films. */
  readonly calibrationGaps: readonly number[];
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
  const squares = sorted.scores.map((score, place) => (score - sorted.labels[place]!) ** 2);
  const called = Uint8Array.from(sorted.order, (film) => decisions[film]!);
  const hits = called.map((decision, place) => decision * sorted.labels[place]!);
  const calibrationErrors = weightedCalibrationErrors(sorted);
  const held = new Uint32Array(scores.length);
  return (given) => {
    const weights = inOrder(sorted, given, held);
    const { labels: truth } = sorted;
    let [total, positives, calledPositive, truePositives] = [0, 0, 0, 0];
    let [logLoss, squaredError] = [0, 0];
    // Products in place of branches, which half of the films would mispredict.
    for (let place = 0; place < weights.length; place++) {
      const weight = weights[place]!;
      total += weight;
      positives += weight * truth[place]!;
      calledPositive += weight * called[place]!;
      truePositives += weight * hits[place]!;
      logLoss += weight * losses[place]!;
      squaredError += weight * squares[place]!;
    }
    const calibration = calibrationErrors(weights);
    return {
      ...rankStatistics(sorted, weights),
      truePositives,
      falsePositives: calledPositive - truePositives,
      falseNegatives: positives - truePositives,
      trueNegatives: total - positives - calledPositive + truePositives,
      logLoss,
      squaredError,
      calibrationError: calibration.expected,
      adaptiveCalibrationError: calibration.adaptive,
      calibrationGaps: calibration.gaps,
    };
  };
}

/** The summary where every film counts once. */
export function binarySummary(decided: DecidedCase): BinarySummary {
  return binarySummaries(decided)(unitWeights(decided.scores.length));
}
