/** What was measured of the films, as means with intervals. */
import type { IntervalSettings } from "../intervals/settings.ts";
import { type Measured, named } from "../measured.ts";
import { type MetricValue, metricValues } from "../metric-values.ts";
import type { Curves, FilmRecord } from "./film-record.ts";

/** How alike a map is to that of the network with so many layers shuffled, from the last one up. */
export interface ForgottenLayers {
  readonly layers: number;
  readonly rankCorrelation: MetricValue;
  readonly ssim: MetricValue;
}

export interface MethodFaithfulness {
  readonly method: string;
  /** Means over the films: areas under the curves, what they are better by than the controls, shifts. */
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly forgotten: readonly ForgottenLayers[];
  /** Whether the map is another one once all layers are shuffled; null where that is not known. */
  readonly dependsOnWeights: boolean | null;
  /** Means over the films by step, of the map and of its own cells at places drawn by chance. */
  readonly curves: { readonly map: Curves; readonly shuffled: Curves };
}

/** Above it a map of shuffled weights is the same map: it does not come from what was learnt. Ours. */
const ALIKE = 0.5;

/** Means over the films, by key; above 0 a map is better than its own cells at places drawn by chance. */
export const FAITHFULNESS_METRICS = [
  "deletion",
  "deletionOverShuffled",
  "deletionOverCentre",
  "insertion",
  "insertionOverShuffled",
  "insertionOverCentre",
  "exchange",
  "exchangeOverShuffled",
  "exchangeOverCentre",
  "shiftRank",
  "shiftChange",
] as const;

export interface SummaryOptions {
  /** One for each record. */
  readonly patients: readonly string[];
  readonly settings: IntervalSettings;
  /** Numbers of layers that were shuffled. */
  readonly levels: readonly number[];
}

/** Intervals are made by patient. */
export function summaryOf(
  records: readonly FilmRecord[],
  { patients, settings, levels }: SummaryOptions,
): Omit<MethodFaithfulness, "method"> {
  const likeness = levels.flatMap((layers) => [`rank:${layers}`, `ssim:${layers}`]);
  const keys = [...FAITHFULNESS_METRICS, ...likeness];
  const means = metricValues(measuredOf(records, keys), records.length, patients, settings);
  const metricOf = (key: string) => means[keys.indexOf(key)]!;
  const forgotten = levels.map((layers) => ({
    layers,
    rankCorrelation: metricOf(`rank:${layers}`),
    ssim: metricOf(`ssim:${layers}`),
  }));
  const all = forgotten.at(-1)?.rankCorrelation;
  const highest = all ? (all.high ?? all.value) : null;
  return {
    metrics: Object.fromEntries(FAITHFULNESS_METRICS.map((key) => [key, metricOf(key)])),
    forgotten,
    dependsOnWeights: highest === null ? null : highest < ALIKE,
    curves: {
      map: meanCurves(records.map(({ curves }) => curves.map)),
      shuffled: meanCurves(records.map(({ curves }) => curves.shuffled)),
    },
  };
}

/** Weighted means of those films that have a value. */
function measuredOf(records: readonly FilmRecord[], keys: readonly string[]): Measured {
  const meanOf = (key: string, weights: ArrayLike<number>) => {
    let [sum, count] = [0, 0];
    records.forEach(({ values }, film) => {
      const value = values[key];
      if (value === undefined) return;
      sum += weights[film]! * value;
      count += weights[film]!;
    });
    return count === 0 ? null : sum / count;
  };
  return {
    names: keys.map((key) =>
      named(
        key,
        key.startsWith("exchange") ? "no film is called otherwise" : "every map has a single value",
      ),
    ),
    statistics: (weights) => keys.map((key) => meanOf(key, weights)),
  };
}

/** By step; of the films that have them. */
export function meanCurves(curves: readonly Curves[]): Curves {
  const mean = (of: readonly (readonly number[])[]) =>
    of[0]!.map((_, step) => of.reduce((sum, curve) => sum + curve[step]!, 0) / of.length);
  const exchanged = curves.flatMap(({ exchange }) => (exchange ? [exchange] : []));
  return {
    deletion: mean(curves.map(({ deletion }) => deletion)),
    insertion: mean(curves.map(({ insertion }) => insertion)),
    exchange: exchanged.length === 0 ? null : mean(exchanged),
  };
}
