/** Statistics of ranked scores. `labels` are 1 for positives; all take O(n log n). */
import { type SortedScores, sortScores, unitWeights, type Weights } from "./sorted-scores.ts";

export interface RankPoint {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** Counts of what scores at or above each distinct score, from the highest down. */
export function rankPoints(labels: ArrayLike<number>, scores: ArrayLike<number>): RankPoint[] {
  const sorted = sortScores(labels, scores);
  const points: RankPoint[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  for (let place = scores.length - 1; place >= 0; place--) {
    if (sorted.labels[place] === 1) truePositives++;
    else falsePositives++;
    const threshold = sorted.scores[place]!;
    const isLast = place === 0 || sorted.scores[place - 1] !== threshold;
    if (isLast) points.push({ threshold, truePositives, falsePositives });
  }
  return points;
}

export interface RankStatistics {
  /** Null without both classes. */
  readonly areaUnderRoc: number | null;
  /** Null without positives. */
  readonly averagePrecision: number | null;
}

/** `weights` in the order of the scores. */
export function rankStatistics({ scores, labels }: SortedScores, weights: Weights): RankStatistics {
  let area = 0;
  let precision = 0;
  let positives = 0;
  let negatives = 0;
  // Of one score: ties are taken together.
  let found = 0;
  let passed = 0;
  for (let place = scores.length - 1; place >= 0; place--) {
    const weight = weights[place]!;
    const share = weight * labels[place]!;
    found += share;
    passed += weight - share;
    if (place > 0 && scores[place - 1] === scores[place]) continue;
    area += passed * (positives + found / 2);
    positives += found;
    negatives += passed;
    if (found > 0) precision += (found * positives) / (positives + negatives);
    found = 0;
    passed = 0;
  }
  return {
    areaUnderRoc: positives === 0 || negatives === 0 ? null : area / (positives * negatives),
    averagePrecision: positives === 0 ? null : precision / positives,
  };
}

const ofAll = (labels: ArrayLike<number>, scores: ArrayLike<number>): RankStatistics =>
  rankStatistics(sortScores(labels, scores), unitWeights(scores.length));

/**
 * Area under the ROC curve, ties counting one half; null without both classes.
 * Source: Hanley and McNeil 1982 (the Mann-Whitney statistic as a trapezoidal area).
 */
export function areaUnderRoc(labels: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  return ofAll(labels, scores).areaUnderRoc;
}

/** The step sum of precision over recall; null without positives. Source: Manning et al. 2008, section 8.4. */
export function averagePrecision(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): number | null {
  return ofAll(labels, scores).averagePrecision;
}
