/** Metrics as people read them: a value, its interval and how that was made. */
import { bootstrapInterval, resample } from "./intervals/bootstrap.ts";
import { clustersOf } from "./intervals/clusters.ts";
import type { IntervalSettings } from "./intervals/settings.ts";
import type { Measured, MetricName } from "./measured.ts";
import { unitWeights } from "./sorted-scores.ts";

/**
 * How an interval was made. `bootstrap` draws images, `cluster-bootstrap` patients with all their
 * images; both are BCa unless they say otherwise: `-percentile` where BCa is not defined since all
 * rounds lie on one side of the value, `-basic` for calibration errors.
 */
export type IntervalMethod =
  | "wilson"
  | "delong"
  | `${"" | "cluster-"}bootstrap${"" | "-percentile" | "-basic"}`;

/**
 * A resample has larger calibration errors than the films, as these have larger ones than the truth.
 * Of 150 sets of 400 films of a model twice too sure, the 95 % interval held the true error in 83 %
 * with BCa, in 58 % with percentiles and in 90 % with the basic one.
 */
const BIASED = ["ece", "adaptiveEce"];

export interface MetricValue {
  /** Null where the metric is not defined. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Null where there is no interval. */
  readonly method: IntervalMethod | null;
  /** Why the value, or else its interval, is not defined. */
  readonly reason?: string;
}

const plain = (value: number | null): MetricValue => ({
  value,
  low: null,
  high: null,
  method: null,
});

/**
 * The measured values in their order. Where every patient has one film, Wilson's interval for
 * proportions and DeLong's for areas under ROC curves; else, and for all other metrics, the bootstrap.
 */
export function metricValues(
  { names, statistics }: Measured,
  films: number,
  patients: readonly string[] | undefined,
  { rounds, seed, level }: IntervalSettings,
): MetricValue[] {
  const values = statistics(unitWeights(films));
  const undefinedValue = ({ undefinedBecause }: MetricName): MetricValue => ({
    ...plain(null),
    reason: undefinedBecause,
  });
  if (rounds === 0)
    return names.map((name, i) => (values[i] === null ? undefinedValue(name) : plain(values[i]!)));
  const clusters = clustersOf(films, patients);
  const resampled = resample(statistics, names.length, clusters, { rounds, seed });
  return names.map((name, index): MetricValue => {
    const value = values[index]!;
    if (value === null) return undefinedValue(name);
    if (name.closed && !clusters.areGrouped) {
      const interval = name.closed.interval(level);
      if (interval === null) return { ...plain(value), reason: name.closed.noneBecause };
      return { value, ...interval, method: name.closed.method };
    }
    const isBiased = BIASED.includes(name.key);
    const interval = bootstrapInterval(value, resampled[index]!, level, isBiased);
    if ("reason" in interval) return { ...plain(value), reason: interval.reason };
    const { low, high, kind } = interval;
    const method = `${clusters.areGrouped ? "cluster-" : ""}bootstrap` as const;
    return {
      value,
      low: isBiased ? Math.max(0, low) : low,
      high: isBiased ? Math.max(0, high) : high,
      method: kind === "bca" ? method : `${method}-${kind}`,
    };
  });
}
