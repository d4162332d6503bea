/** Metrics of one positive class against the rest, as a table. */
import { kappa, matthews } from "./agreement.ts";
import { adaptiveCalibrationError, expectedCalibrationError } from "./calibration-error.ts";
import { areaUnderRoc, averagePrecision } from "./ranking.ts";

export interface BinaryCase {
  /** 1 for positives, 0 for negatives. */
  readonly labels: ArrayLike<number>;
  /** Probability of the positive class. */
  readonly scores: ArrayLike<number>;
  /** A score at or above it is positive. */
  readonly threshold: number;
}

export interface Counts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

export interface MetricEntry {
  readonly key: string;
  readonly title: string;
  readonly better: "higher" | "lower";
  /** Null where the metric is not defined. */
  compute(binary: BinaryCase, counts: Counts): number | null;
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function mean(...values: (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}

/** Probabilities are clipped here before the logarithm, as scikit-learn did for float64. */
export const LOG_LOSS_CLIP = 1e-15;

export const BINARY_METRICS: readonly MetricEntry[] = [
  {
    key: "accuracy",
    title: "Accuracy",
    better: "higher",
    compute: (_, c) => ratio(c.truePositives + c.trueNegatives, total(c)),
  },
  {
    key: "balancedAccuracy",
    title: "Balanced accuracy",
    better: "higher",
    compute: (_, c) => mean(sensitivity(c), specificity(c)),
  },
  {
    key: "sensitivity",
    title: "Sensitivity (recall)",
    better: "higher",
    compute: (_, c) => sensitivity(c),
  },
  { key: "specificity", title: "Specificity", better: "higher", compute: (_, c) => specificity(c) },
  {
    key: "ppv",
    title: "Positive predictive value",
    better: "higher",
    compute: (_, c) => ratio(c.truePositives, c.truePositives + c.falsePositives),
  },
  {
    key: "npv",
    title: "Negative predictive value",
    better: "higher",
    compute: (_, c) => ratio(c.trueNegatives, c.trueNegatives + c.falseNegatives),
  },
  {
    key: "f1",
    title: "F1",
    better: "higher",
    compute: (_, c) =>
      ratio(2 * c.truePositives, 2 * c.truePositives + c.falsePositives + c.falseNegatives),
  },
  {
    key: "mcc",
    title: "Matthews correlation",
    better: "higher",
    compute: (_, c) => matthews(confusionOf(c)),
  },
  {
    key: "kappa",
    title: "Cohen's kappa",
    better: "higher",
    compute: (_, c) => kappa(confusionOf(c)),
  },
  {
    key: "auroc",
    title: "AUROC",
    better: "higher",
    compute: ({ labels, scores }) => areaUnderRoc(labels, scores),
  },
  {
    key: "averagePrecision",
    title: "Average precision",
    better: "higher",
    compute: ({ labels, scores }) => averagePrecision(labels, scores),
  },
  { key: "logLoss", title: "Log loss", better: "lower", compute: logLoss },
  { key: "brier", title: "Brier score", better: "lower", compute: brier },
  {
    key: "ece",
    title: "Expected calibration error",
    better: "lower",
    compute: ({ labels, scores }) => expectedCalibrationError(labels, scores),
  },
  {
    key: "adaptiveEce",
    title: "Adaptive calibration error",
    better: "lower",
    compute: ({ labels, scores }) => adaptiveCalibrationError(labels, scores),
  },
];

function total(c: Counts): number {
  return c.truePositives + c.falsePositives + c.trueNegatives + c.falseNegatives;
}

function sensitivity(c: Counts): number | null {
  return ratio(c.truePositives, c.truePositives + c.falseNegatives);
}

function specificity(c: Counts): number | null {
  return ratio(c.trueNegatives, c.trueNegatives + c.falsePositives);
}

/** The mean natural -log of the probability given to what is true. */
function logLoss({ labels, scores }: BinaryCase): number | null {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = Math.min(1 - LOG_LOSS_CLIP, Math.max(LOG_LOSS_CLIP, scores[i]!));
    sum -= Math.log(labels[i] === 1 ? p : 1 - p);
  }
  return ratio(sum, labels.length);
}

/** Source: Brier 1950, in the two-class form (half of the original). */
function brier({ labels, scores }: BinaryCase): number | null {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (scores[i]! - labels[i]!) ** 2;
  return ratio(sum, labels.length);
}

export function countsOf({ labels, scores, threshold }: BinaryCase): Counts {
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  for (let i = 0; i < labels.length; i++) {
    const isPositive = scores[i]! >= threshold;
    if (labels[i] === 1) counts[isPositive ? "truePositives" : "falseNegatives"]++;
    else counts[isPositive ? "falsePositives" : "trueNegatives"]++;
  }
  return counts;
}

/** Rows are what is true, columns what was predicted; the negatives first. */
export function confusionOf(c: Counts): readonly (readonly number[])[] {
  return [
    [c.trueNegatives, c.falsePositives],
    [c.falseNegatives, c.truePositives],
  ];
}

/** Every metric of the table by key; the counts are those at the threshold unless others are given. */
export function binaryMetrics(
  binary: BinaryCase,
  counts: Counts = countsOf(binary),
): Record<string, number | null> {
  return Object.fromEntries(
    BINARY_METRICS.map((metric) => [metric.key, metric.compute(binary, counts)]),
  );
}
