/** Metrics of one evaluation in a fixed order, computed together for any weights of the films. */
import { BINARY_METRICS } from "./binary.ts";
import { binarySummary, type DecidedCase } from "./binary-summary.ts";
import { CALIBRATION_BINS } from "./calibration-error.ts";
import type { Statistics } from "./intervals/bootstrap.ts";
import { delongInterval } from "./intervals/delong.ts";
import { type Interval, wilsonInterval } from "./intervals/wilson.ts";

/** The interval of independent films that needs no bootstrap. */
export interface ClosedForm {
  readonly method: "wilson" | "delong";
  readonly noneBecause: string;
  interval(level: number): Interval | null;
}

export interface MetricName {
  /** The class or finding; null for the whole. */
  readonly scope: string | null;
  readonly key: string;
  readonly undefinedBecause: string;
  readonly closed?: ClosedForm | undefined;
  /** Of how many numbers the absolute values add up to it, where they do. */
  readonly gaps?: number | undefined;
}

export interface Measured {
  readonly names: readonly MetricName[];
  /** A value for each name; after these the gaps of those names that have them. */
  readonly statistics: Statistics;
}

/** What calibration errors are sums of. */
const GAPS: Readonly<Record<string, number>> = {
  ece: CALIBRATION_BINS,
  adaptiveEce: CALIBRATION_BINS,
};

/** A metric of the whole that has no closed form. */
export const named = (key: string, undefinedBecause: string): MetricName => ({
  scope: null,
  key,
  undefinedBecause,
  gaps: GAPS[key],
});

/** The names of the binary metrics of one class or finding, in the order of their table. */
export function binaryNames(scope: string | null, decided: DecidedCase): MetricName[] {
  const summary = binarySummary(decided);
  return BINARY_METRICS.map(({ key, undefinedBecause, proportion }) => ({
    scope,
    key,
    undefinedBecause,
    gaps: GAPS[key],
    closed: proportion
      ? wilson(...proportion(summary))
      : key === "auroc"
        ? delong(decided)
        : undefined,
  }));
}

export function wilson(part: number, whole: number): ClosedForm {
  return {
    method: "wilson",
    noneBecause: "there are no images",
    interval: (level) => wilsonInterval(part, whole, level),
  };
}

function delong({ labels, scores }: DecidedCase): ClosedForm {
  return {
    method: "delong",
    noneBecause: "the classes do not overlap, or one has a single image",
    interval: (level) => delongInterval(labels, scores, level),
  };
}
