/** Statistics of ranked scores. `labels` are 1 for positives; both functions take O(n log n). */

function descending(scores: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index);
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
}

export interface RankPoint {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** Counts of what scores at or above each distinct score, from the highest down. */
export function rankPoints(labels: ArrayLike<number>, scores: ArrayLike<number>): RankPoint[] {
  const order = descending(scores);
  const points: RankPoint[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  order.forEach((index, place) => {
    if (labels[index] === 1) truePositives++;
    else falsePositives++;
    const threshold = scores[index]!;
    const isLast = place + 1 === order.length || scores[order[place + 1]!] !== threshold;
    if (isLast) points.push({ threshold, truePositives, falsePositives });
  });
  return points;
}

/**
 * Area under the ROC curve, ties counting one half; null without both classes.
 * Source: Hanley and McNeil 1982 (the Mann-Whitney statistic as a trapezoidal area).
 */
export function areaUnderRoc(labels: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  const points = rankPoints(labels, scores);
  const last = points.at(-1);
  if (!last || last.truePositives === 0 || last.falsePositives === 0) return null;
  let area = 0;
  let before = { truePositives: 0, falsePositives: 0 };
  for (const point of points) {
    const width = point.falsePositives - before.falsePositives;
    area += (width * (point.truePositives + before.truePositives)) / 2;
    before = point;
  }
  return area / (last.truePositives * last.falsePositives);
}

/** The step sum of precision over recall; null without positives. Source: Manning et al. 2008, section 8.4. */
export function averagePrecision(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): number | null {
  const points = rankPoints(labels, scores);
  const total = points.at(-1)?.truePositives ?? 0;
  if (total === 0) return null;
  let sum = 0;
  let found = 0;
  for (const { truePositives, falsePositives } of points) {
    sum += ((truePositives - found) * truePositives) / (truePositives + falsePositives);
    found = truePositives;
  }
  return sum / total;
}
