/** Metrics of one positive class against the rest, as a table. */
import { kappa, matthews } from "./agreement.ts";
import {
  type BinarySummary,
  binarySummary,
  type Counts,
  type DecidedCase,
} from "./binary-summary.ts";

export interface BinaryCase {
  /** 1 for positives, 0 for negatives. */
  readonly labels: ArrayLike<number>;
  /** Probability of the positive class. */
  readonly scores: ArrayLike<number>;
  /** A score at or above it is positive. */
  readonly threshold: number;
}

/** A part of a whole: what a Wilson interval is of. */
type Proportion = readonly [part: number, whole: number];

export interface MetricEntry {
  readonly key: string;
  readonly title: string;
  readonly better: "higher" | "lower";
  /** Null where the metric is not defined. */
  compute(summary: BinarySummary): number | null;
  /** When it is not defined. */
  readonly undefinedBecause: string;
  /** Where it is a proportion of independent films. */
  readonly proportion?: (counts: Counts) => Proportion;
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function proportion(
  key: string,
  title: string,
  undefinedBecause: string,
  of: (counts: Counts) => Proportion,
): MetricEntry {
  const compute = (summary: Counts) => ratio(...of(summary));
  return { key, title, better: "higher", compute, undefinedBecause, proportion: of };
}

const NO_FILMS = "no image has a known label";
const ONE_CLASS = "all images are of one class";

const SENSITIVITY = proportion(
  "sensitivity",
  "Sensitivity (recall)",
  "no image is positive",
  (c) => [c.truePositives, c.truePositives + c.falseNegatives],
);
const SPECIFICITY = proportion("specificity", "Specificity", "no image is negative", (c) => [
  c.trueNegatives,
  c.trueNegatives + c.falsePositives,
]);

export const BINARY_METRICS: readonly MetricEntry[] = [
  proportion("accuracy", "Accuracy", NO_FILMS, (c) => [
    c.truePositives + c.trueNegatives,
    total(c),
  ]),
  {
    key: "balancedAccuracy",
    title: "Balanced accuracy",
    better: "higher",
    compute(summary) {
      const [a, b] = [SENSITIVITY.compute(summary), SPECIFICITY.compute(summary)];
      return a === null || b === null ? null : (a + b) / 2;
    },
    undefinedBecause: ONE_CLASS,
  },
  SENSITIVITY,
  SPECIFICITY,
  proportion("ppv", "Positive predictive value", "no image is called positive", (c) => [
    c.truePositives,
    c.truePositives + c.falsePositives,
  ]),
  proportion("npv", "Negative predictive value", "no image is called negative", (c) => [
    c.trueNegatives,
    c.trueNegatives + c.falseNegatives,
  ]),
  {
    key: "f1",
    title: "F1",
    better: "higher",
    compute: (c) =>
      ratio(2 * c.truePositives, 2 * c.truePositives + c.falsePositives + c.falseNegatives),
    undefinedBecause: "no image is positive and none is called so",
  },
  {
    key: "mcc",
    title: "Matthews correlation",
    better: "higher",
    compute: (c) => matthews(confusionOf(c)),
    undefinedBecause: "all images are, or are called, of one class",
  },
  {
    key: "kappa",
    title: "Cohen's kappa",
    better: "higher",
    compute: (c) => kappa(confusionOf(c)),
    undefinedBecause: "all images are, and are called, of one class",
  },
  {
    key: "auroc",
    title: "AUROC",
    better: "higher",
    compute: ({ areaUnderRoc }) => areaUnderRoc,
    undefinedBecause: ONE_CLASS,
  },
  {
    key: "averagePrecision",
    title: "Average precision",
    better: "higher",
    compute: ({ averagePrecision }) => averagePrecision,
    undefinedBecause: "no image is positive",
  },
  {
    key: "logLoss",
    title: "Log loss",
    better: "lower",
    compute: (summary) => ratio(summary.logLoss, total(summary)),
    undefinedBecause: NO_FILMS,
  },
  {
    // Source: Brier 1950, in the two-class form (half of the original).
    key: "brier",
    title: "Brier score",
    better: "lower",
    compute: (summary) => ratio(summary.squaredError, total(summary)),
    undefinedBecause: NO_FILMS,
  },
  {
    key: "ece",
    title: "Expected calibration error",
    better: "lower",
    compute: ({ calibrationError }) => calibrationError,
    undefinedBecause: NO_FILMS,
  },
  {
    key: "adaptiveEce",
    title: "Adaptive calibration error",
    better: "lower",
    compute: ({ adaptiveCalibrationError }) => adaptiveCalibrationError,
    undefinedBecause: NO_FILMS,
  },
];

function total(c: Counts): number {
  return c.truePositives + c.falsePositives + c.trueNegatives + c.falseNegatives;
}

/** Rows are what is true, columns what was predicted; the negatives first. */
export function confusionOf(c: Counts): readonly (readonly number[])[] {
  return [
    [c.trueNegatives, c.falsePositives],
    [c.falseNegatives, c.truePositives],
  ];
}

/** The case with each film called positive or not. */
export function decide({ labels, scores, threshold }: BinaryCase): DecidedCase {
  return {
    labels,
    scores,
    decisions: Uint8Array.from(scores, (score) => Number(score >= threshold)),
  };
}

/** Every metric of the table by key. */
export function binaryMetrics(binary: BinaryCase): Record<string, number | null> {
  const summary = binarySummary(decide(binary));
  return Object.fromEntries(BINARY_METRICS.map(({ key, compute }) => [key, compute(summary)]));
}
