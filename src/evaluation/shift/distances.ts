/** How far two samples of one number lie apart. All take O(n log n) and need both samples. */
import { quantile } from "../intervals/bca.ts";

/** Walks the distinct values of both samples with the share of each at or below it. */
function walk(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  visit: (value: number, next: number | undefined, shareA: number, shareB: number) => void,
): void {
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    const value = Math.min(x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY);
    while (i < x.length && x[i] === value) i++;
    while (j < y.length && y[j] === value) j++;
    const isLast = i === x.length && j === y.length;
    const next = Math.min(x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY);
    visit(value, isLast ? undefined : next, i / x.length, j / y.length);
  }
}

export interface KolmogorovSmirnov {
  /** The largest difference of the two distributions, from 0 to 1. */
  readonly statistic: number;
  /** For large samples: too careful for small ones. */
  readonly p: number;
}

/** Source: Smirnov 1939; the limiting distribution of Kolmogorov 1933. */
export function kolmogorovSmirnov(a: ArrayLike<number>, b: ArrayLike<number>): KolmogorovSmirnov {
  let statistic = 0;
  walk(a, b, (_value, _next, shareA, shareB) => {
    statistic = Math.max(statistic, Math.abs(shareA - shareB));
  });
  const lambda = Math.sqrt((a.length * b.length) / (a.length + b.length)) * statistic;
  return { statistic, p: kolmogorovTail(lambda) };
}

function kolmogorovTail(lambda: number): number {
  // Below it the series of alternating terms hardly falls, and the tail is 1 to 1e-10.
  if (lambda < 0.25) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * (k * lambda) ** 2);
  return Math.min(1, Math.max(0, sum));
}

/** Source: Székely and Rizzo 2013, in the root form (unit: root of that of the values). */
export function energyDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  walk(a, b, (value, next, shareA, shareB) => {
    if (next !== undefined) sum += (next - value) * (shareA - shareB) ** 2;
  });
  return Math.sqrt(2 * sum);
}

/** An empty bin would make the index infinite. */
const LEAST_SHARE = 1e-4;

/**
 * The population stability index of `current` against `reference`, over the tenths of the reference.
 * Below 0.1 is called stable, above 0.25 a shift. Source: Siddiqi 2006, "Credit risk scorecards".
 */
export function populationStability(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  bins = 10,
): number {
  const sorted = Float64Array.from(reference).sort();
  const edges = [
    ...new Set(Array.from({ length: bins - 1 }, (_, bin) => quantile(sorted, (bin + 1) / bins))),
  ];
  const sharesOf = (values: ArrayLike<number>): number[] => {
    const counts = new Array<number>(edges.length + 1).fill(0);
    for (let i = 0; i < values.length; i++) {
      const above = edges.findIndex((edge) => values[i]! <= edge);
      counts[above < 0 ? edges.length : above]!++;
    }
    return counts.map((count) => Math.max(LEAST_SHARE, count / values.length));
  };
  const [before, now] = [sharesOf(reference), sharesOf(current)];
  return now.reduce(
    (sum, share, bin) => sum + (share - before[bin]!) * Math.log(share / before[bin]!),
    0,
  );
}
