import { normalCdf, normalQuantile } from "./normal.ts";
import type { Interval } from "./wilson.ts";

/**
 * The bias-corrected and accelerated interval; null where it is not defined: all replicates lie on
 * one side of the estimate. `jackknife` are the values with one patient (or one group of equally
 * many) left out: groups give the same acceleration, for a sum of g patients has 1/sqrt(g) of their
 * skewness. Source: Efron 1987, "Better bootstrap confidence intervals", equations 2.3 and 6.6.
 */
export function bcaInterval(
  estimate: number,
  replicates: Float64Array,
  jackknife: ArrayLike<number>,
  level = 0.95,
): Interval | null {
  let below = 0;
  let equal = 0;
  for (const value of replicates) {
    if (value < estimate) below++;
    else if (value === estimate) equal++;
  }
  const bias = normalQuantile((below + equal / 2) / replicates.length);
  if (!Number.isFinite(bias)) return null;
  const skew = acceleration(jackknife);
  const sorted = replicates.toSorted();
  const end = (share: number): number => {
    const moved = bias + normalQuantile(share);
    const scale = 1 - skew * moved;
    // Past the pole of the transformation all is one end.
    if (scale <= 0) return quantile(sorted, moved > 0 ? 1 : 0);
    return quantile(sorted, normalCdf(bias + moved / scale));
  };
  return { low: end((1 - level) / 2), high: end((1 + level) / 2) };
}

/** Between the quantiles of the replicates. Source: Efron 1979. */
export function percentileInterval(replicates: Float64Array, level = 0.95): Interval {
  const sorted = replicates.toSorted();
  return { low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2) };
}

function acceleration(jackknife: ArrayLike<number>): number {
  const values = Array.from(jackknife);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [squares, cubes] = [0, 0];
  for (const value of values) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** Between the two nearest ranks, linearly. Source: Hyndman and Fan 1996, definition 7. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (place - below);
}
