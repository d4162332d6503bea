/** Nonparametric variances of areas under ROC curves, in O(n log n). */
import { sortScores } from "../sorted-scores.ts";
import { normalQuantile } from "./normal.ts";
import type { Interval } from "./wilson.ts";

/**
 * How much each film adds to the area: for a positive the share of negatives below it, for a
 * negative the share of positives above it, ties halved.
 */
export interface Placements {
  readonly area: number;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/**
 * The placements in the order of the films; null without both classes.
 * Source: Sun and Xu 2014, "Fast implementation of DeLong's algorithm" (the same by midranks).
 */
export function placements(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): Placements | null {
  const sorted = sortScores(labels, scores);
  const n = scores.length;
  const positives = sorted.labels.reduce((sum, label) => sum + label, 0);
  const negatives = n - positives;
  if (positives === 0 || negatives === 0) return null;
  const values = new Float64Array(n);
  const below = { positives: 0, negatives: 0 };
  for (let start = 0, end = 0; start < n; start = end) {
    let tiedPositives = 0;
    while (end < n && sorted.scores[end] === sorted.scores[start])
      tiedPositives += sorted.labels[end++]!;
    const tiedNegatives = end - start - tiedPositives;
    for (let place = start; place < end; place++)
      values[sorted.order[place]!] =
        sorted.labels[place] === 1
          ? (below.negatives + tiedNegatives / 2) / negatives
          : 1 - (below.positives + tiedPositives / 2) / positives;
    below.positives += tiedPositives;
    below.negatives += tiedNegatives;
  }
  const ofPositives = values.filter((_, film) => labels[film] === 1);
  const ofNegatives = values.filter((_, film) => labels[film] !== 1);
  return { area: mean(ofPositives), positives: ofPositives, negatives: ofNegatives };
}

/**
 * The covariance of two areas over the same films (their variance where both are one); null with
 * fewer than two films of a class. Source: DeLong, DeLong and Clarke-Pearson 1988, equation 4.
 */
export function areaCovariance(a: Placements, b: Placements): number | null {
  const [m, n] = [a.positives.length, a.negatives.length];
  if (m < 2 || n < 2) return null;
  return covariance(a.positives, b.positives) / m + covariance(a.negatives, b.negatives) / n;
}

/**
 * The interval of an area under the ROC curve over independent films, cut at 0 and 1; null without
 * two films of each class, and where the classes do not overlap: the variance is then 0.
 */
export function delongInterval(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  level = 0.95,
): Interval | null {
  const placed = placements(labels, scores);
  const variance = placed && areaCovariance(placed, placed);
  if (!placed || !variance) return null;
  const reach = normalQuantile(0.5 + level / 2) * Math.sqrt(variance);
  return { low: Math.max(0, placed.area - reach), high: Math.min(1, placed.area + reach) };
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function covariance(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - meanA) * (b[i]! - meanB);
  return sum / (a.length - 1);
}
