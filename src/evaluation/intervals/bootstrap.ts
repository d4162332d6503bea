/** Many statistics of the same films, resampled together. */
import type { Weights } from "../sorted-scores.ts";
import { bcaInterval, percentileInterval } from "./bca.ts";
import { bootstrapWeights, type Clusters, jackknifeWeights } from "./clusters.ts";
import type { Interval } from "./wilson.ts";

/** The statistics, null where one is not defined, of films that count as often as the weights say. */
export type Statistics = (weights: Weights) => readonly (number | null)[];

export interface BootstrapOptions {
  readonly rounds: number;
  readonly seed: number;
}

export interface Resampled {
  /** Of one statistic, by round; NaN where a round does not define it. */
  readonly replicates: Float64Array;
  readonly jackknife: Float64Array;
}

/** Each statistic in every round of the bootstrap, and with patients left out. */
export function resample(
  statistics: Statistics,
  count: number,
  clusters: Clusters,
  { rounds, seed }: BootstrapOptions,
): Resampled[] {
  const replicates = collect(statistics, count, bootstrapWeights(clusters, { rounds, seed }));
  const jackknife = collect(statistics, count, jackknifeWeights(clusters, seed));
  return replicates.map((values, index) => ({ replicates: values, jackknife: jackknife[index]! }));
}

function collect(statistics: Statistics, count: number, rounds: Iterable<Weights>): Float64Array[] {
  const columns = Array.from({ length: count }, (): number[] => []);
  for (const weights of rounds)
    statistics(weights).forEach((value, index) => {
      columns[index]!.push(value ?? Number.NaN);
    });
  return columns.map((values) => Float64Array.from(values));
}

export type BootstrapKind = "bca" | "percentile";

export type BootstrapInterval =
  | (Interval & { readonly kind: BootstrapKind })
  | { readonly reason: string };

/** An interval from fewer rounds than this share would hide that the data are too small for one. */
const LEAST_DEFINED = 0.9;

/** Null where enough rounds define a statistic, else the reason for which it has no interval. */
export function tooFewRounds(defined: number, rounds: number): string | null {
  const share = defined / rounds;
  if (share >= LEAST_DEFINED) return null;
  return `too few images: only ${Math.floor(100 * share)} % of the bootstrap rounds define it`;
}

/**
 * The BCa interval of a statistic, its percentile interval where all rounds lie on one side of the
 * estimate, or the reason why there is none.
 */
export function bootstrapInterval(
  estimate: number,
  { replicates, jackknife }: Resampled,
  level: number,
): BootstrapInterval {
  const defined = replicates.filter((value) => !Number.isNaN(value));
  const reason = tooFewRounds(defined.length, replicates.length);
  if (reason !== null) return { reason };
  if (defined.every((value) => value === defined[0]))
    return { reason: "every bootstrap round gives the same value" };
  const left = jackknife.filter((value) => !Number.isNaN(value));
  const corrected = bcaInterval(estimate, defined, left, level);
  if (corrected) return { ...corrected, kind: "bca" };
  return { ...percentileInterval(defined, level), kind: "percentile" };
}
