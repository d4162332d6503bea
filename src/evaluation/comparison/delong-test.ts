import { areaCovariance, placements } from "../intervals/delong.ts";
import { normalQuantile, twoSided } from "../intervals/normal.ts";
import type { Interval } from "../intervals/wilson.ts";

export interface AreaDifference extends Interval {
  /** The first area less the second. */
  readonly difference: number;
  readonly p: number;
}

/**
 * The difference of two areas under ROC curves over the same independent films; null without two
 * films of each class. Where the models rank all films alike the difference is 0 and p is 1.
 * Source: DeLong, DeLong and Clarke-Pearson 1988, equation 5.
 */
export function delongTest(
  labels: ArrayLike<number>,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  level = 0.95,
): AreaDifference | null {
  const [a, b] = [placements(labels, first), placements(labels, second)];
  if (!a || !b) return null;
  const [ofA, ofB, both] = [areaCovariance(a, a), areaCovariance(b, b), areaCovariance(a, b)];
  if (ofA === null || ofB === null || both === null) return null;
  const difference = a.area - b.area;
  const error = Math.sqrt(Math.max(0, ofA + ofB - 2 * both));
  const reach = normalQuantile(0.5 + level / 2) * error;
  const p = error === 0 ? Number(difference === 0) : twoSided(difference / error);
  return { difference, low: difference - reach, high: difference + reach, p };
}
