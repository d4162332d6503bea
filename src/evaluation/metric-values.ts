/** Metrics as people read them: a value, its interval and how that was made. */
import { bootstrapInterval, resample } from "./intervals/bootstrap.ts";
import { clustersOf } from "./intervals/clusters.ts";
import type { IntervalSettings } from "./intervals/settings.ts";
import type { Measured, MetricName } from "./measured.ts";
import { unitWeights } from "./sorted-scores.ts";

/**
 * How an interval was made. `bootstrap` draws images, `cluster-bootstrap` patients with all their
 * images; both are BCa, and `-percentile` where BCa is not defined since all rounds lie on one side
 * of the value.
 */
export type IntervalMethod =
  | "wilson"
  | "delong"
  | "bootstrap"
  | "bootstrap-percentile"
  | "cluster-bootstrap"
  | "cluster-bootstrap-percentile";

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
    const interval = bootstrapInterval(value, resampled[index]!, level);
    if ("reason" in interval) return { ...plain(value), reason: interval.reason };
    const { low, high, isCorrected } = interval;
    const method = clusters.areGrouped ? "cluster-bootstrap" : "bootstrap";
    return { value, low, high, method: isCorrected ? method : `${method}-percentile` };
  });
}
