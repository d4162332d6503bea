import { twoSided } from "../intervals/normal.ts";

/** What two models say differently of the same films, and how likely that were if they were alike. */
export interface McNemar {
  /** Films that only the first reads rightly. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Of the exact binomial test, two-sided. */
  readonly exactP: number;
  /** The exact test with half of the observed outcome: the best kept of them for small numbers. */
  readonly midP: number;
  /** Of chi-squared with Edwards' correction for continuity. */
  readonly chiSquaredP: number;
}

/**
 * McNemar's test from the films read rightly by one model only; films have to be independent.
 * Source: McNemar 1947; Fagerland, Lydersen and Laake 2013 for the mid-p form.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): McNemar {
  const n = onlyFirst + onlySecond;
  const counts = { onlyFirst, onlySecond };
  if (n === 0) return { ...counts, exactP: 1, midP: 1, chiSquaredP: 1 };
  const smaller = Math.min(onlyFirst, onlySecond);
  const { tail, last } = halfBinomial(n, smaller);
  const z = Math.max(0, Math.abs(onlyFirst - onlySecond) - 1) / Math.sqrt(n);
  return {
    ...counts,
    exactP: Math.min(1, 2 * tail),
    // With equal counts the two halves are the whole.
    midP: onlyFirst === onlySecond ? 1 - last / 2 : 2 * tail - last,
    chiSquaredP: twoSided(z),
  };
}

/** Probabilities of at most, and of exactly, `k` heads in `n` throws of a fair coin. */
function halfBinomial(n: number, k: number): { tail: number; last: number } {
  let logarithm = -n * Math.LN2;
  let last = Math.exp(logarithm);
  let tail = last;
  for (let i = 1; i <= k; i++) {
    logarithm += Math.log((n - i + 1) / i);
    last = Math.exp(logarithm);
    tail += last;
  }
  return { tail, last };
}

/** McNemar's test of two models from whether each film is read rightly (1) or not (0). */
export function mcnemarOf(first: ArrayLike<number>, second: ArrayLike<number>): McNemar {
  let [onlyFirst, onlySecond] = [0, 0];
  for (let film = 0; film < first.length; film++) {
    if (first[film] === second[film]) continue;
    if (first[film] === 1) onlyFirst++;
    else onlySecond++;
  }
  return mcnemar(onlyFirst, onlySecond);
}
