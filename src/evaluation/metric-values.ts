/** Metrics as people read them: a value, its interval and how that was made. */
import { bootstrapInterval, resample } from "./intervals/bootstrap.ts";
import { clustersOf } from "./intervals/clusters.ts";
import { gapSumInterval } from "./intervals/gap-sum.ts";
import type { IntervalSettings } from "./intervals/settings.ts";
import type { Measured, MetricName } from "./measured.ts";
import { unitWeights } from "./sorted-scores.ts";

/**
 * How an interval was made. `bootstrap` draws images, `cluster-bootstrap` patients with all their
 * images; both are BCa unless they say otherwise: `-percentile` where BCa is not defined since all
 * rounds lie on one side of the value, `-inverted` for calibration errors (intervals/gap-sum.ts).
 */
export type IntervalMethod =
  | "wilson"
  | "delong"
  | `${"" | "cluster-"}bootstrap${"" | "-percentile" | "-inverted"}`;

export interface MetricValue {
  /** Null where the metric is not defined. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Null where there is no interval. */
  readonly method: IntervalMethod | null;
  /** Of a calibration error: what is left of it without what chance alone adds. */
  readonly debiased?: number;
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
  const resampled = resample(statistics, values.length, clusters, { rounds, seed });
  const method = `${clusters.areGrouped ? "cluster-" : ""}bootstrap` as const;
  let gapsStart = names.length;
  return names.map((name, index): MetricValue => {
    const gaps = [gapsStart, gapsStart + (name.gaps ?? 0)] as const;
    gapsStart = gaps[1];
    const value = values[index]!;
    if (value === null) return undefinedValue(name);
    if (name.closed && !clusters.areGrouped) {
      const interval = name.closed.interval(level);
      if (interval === null) return { ...plain(value), reason: name.closed.noneBecause };
      return { value, ...interval, method: name.closed.method };
    }
    if (name.gaps !== undefined) {
      const ofFilms = values.slice(...gaps) as number[];
      const interval = gapSumInterval(ofFilms, resampled.slice(...gaps), level);
      if ("reason" in interval) return { ...plain(value), reason: interval.reason };
      return { value, ...interval, method: `${method}-inverted` };
    }
    const interval = bootstrapInterval(value, resampled[index]!, level);
    if ("reason" in interval) return { ...plain(value), reason: interval.reason };
    const { low, high, kind } = interval;
    return { value, low, high, method: kind === "bca" ? method : `${method}-${kind}` };
  });
}
