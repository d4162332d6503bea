/** Metrics of one evaluation in a fixed order, computed together for any weights of the films. */
import { BINARY_METRICS } from "./binary.ts";
import { binarySummary, type DecidedCase } from "./binary-summary.ts";
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
}

export interface Measured {
  readonly names: readonly MetricName[];
  readonly statistics: Statistics;
}

/** The names of the binary metrics of one class or finding, in the order of their table. */
export function binaryNames(scope: string | null, decided: DecidedCase): MetricName[] {
  const summary = binarySummary(decided);
  return BINARY_METRICS.map(({ key, undefinedBecause, proportion }) => ({
    scope,
    key,
    undefinedBecause,
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
