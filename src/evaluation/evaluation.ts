/** The whole evaluation of a set of predictions, for any task. Plain data. */
import type { Task } from "../datasets/index.portable.ts";
import { HilumError } from "../errors.ts";
import { kappa, matthews } from "./agreement.ts";
import { binaryMetrics, confusionOf, countsOf, LOG_LOSS_CLIP } from "./binary.ts";
import { adaptiveCalibrationError, expectedCalibrationError } from "./calibration-error.ts";

export interface Prediction {
  /** One entry per label; null is unknown (findings only). */
  readonly target: readonly (0 | 1 | null)[];
  readonly probabilities: ArrayLike<number>;
}

export interface MetricValue {
  readonly value: number | null;
  /** Null until intervals are built. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Evaluation {
  readonly n: number;
  /** Name of the positive class, null where there is none. */
  readonly positive: string | null;
  readonly threshold: number | null;
  /** Rows are what is true, columns what was predicted, in the order of the labels. */
  readonly confusion: {
    readonly labels: readonly string[];
    readonly matrix: readonly (readonly number[])[];
  } | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** By class (against the rest) or finding, where there is no single positive class. */
  readonly perClass?: Readonly<Record<string, Readonly<Record<string, MetricValue>>>>;
}

export interface EvaluateOptions {
  readonly threshold?: number | undefined;
}

const DEFAULT_THRESHOLD = 0.5;

/** Metrics, confusion and counts. Throws `evaluation-empty` and `probability-invalid`. */
export function evaluatePredictions(
  predictions: readonly Prediction[],
  task: Task,
  { threshold = DEFAULT_THRESHOLD }: EvaluateOptions = {},
): Evaluation {
  checkPredictions(predictions);
  if (task.kind === "findings") return findingsEvaluation(predictions, task.findings, threshold);
  if (task.positive !== null) return binaryEvaluation(predictions, task, threshold);
  return classesEvaluation(predictions, task.classes);
}

function checkPredictions(predictions: readonly Prediction[]): void {
  if (predictions.length === 0)
    throw new HilumError(
      "evaluation-empty",
      "There is nothing to evaluate: no readable image has a label.",
    );
  predictions.forEach(({ probabilities }, index) => {
    for (const value of Array.from(probabilities))
      if (!(value >= 0 && value <= 1))
        throw new HilumError(
          "probability-invalid",
          `Prediction ${index + 1} has probability ${value}; probabilities lie between 0 and 1.`,
          { row: index + 1, value },
        );
  });
}

function valued(metrics: Readonly<Record<string, number | null>>): Record<string, MetricValue> {
  return Object.fromEntries(
    Object.entries(metrics).map(([key, value]) => [key, { value, low: null, high: null }]),
  );
}

function binaryEvaluation(
  predictions: readonly Prediction[],
  { classes, positive }: Extract<Task, { kind: "classes" }>,
  threshold: number,
): Evaluation {
  const index = positive!;
  const binary = { ...columnOf(predictions, index), threshold };
  const negativeFirst = confusionOf(countsOf(binary));
  const matrix =
    index === 1 ? negativeFirst : negativeFirst.map((row) => row.toReversed()).toReversed();
  return {
    n: predictions.length,
    positive: classes[index]!,
    threshold,
    confusion: { labels: classes, matrix },
    metrics: valued(binaryMetrics(binary)),
  };
}

/** The truth and the probability of one class or finding. */
function columnOf(predictions: readonly Prediction[], index: number) {
  return {
    labels: predictions.map(({ target }) => target[index]!),
    scores: predictions.map(({ probabilities }) => probabilities[index]!),
  };
}

function classesEvaluation(
  predictions: readonly Prediction[],
  classes: readonly string[],
): Evaluation {
  const matrix = classes.map(() => classes.map(() => 0));
  const outcomes: number[] = [];
  const confidences: number[] = [];
  let [logLoss, brier] = [0, 0];
  for (const { target, probabilities } of predictions) {
    const values = Array.from(probabilities);
    const truth = target.indexOf(1);
    const confidence = Math.max(...values);
    const predicted = values.indexOf(confidence);
    matrix[truth]![predicted]!++;
    outcomes.push(Number(predicted === truth));
    confidences.push(confidence);
    logLoss -= Math.log(Math.min(1, Math.max(LOG_LOSS_CLIP, values[truth]!)));
    brier += values.reduce((sum, p, index) => sum + (p - target[index]!) ** 2, 0);
  }
  const perClass = Object.fromEntries(
    classes.map((name, index) => [name, valued(againstRest(predictions, matrix, index))]),
  );
  const correct = matrix.reduce((sum, row, index) => sum + row[index]!, 0);
  return {
    n: predictions.length,
    positive: null,
    threshold: null,
    confusion: { labels: classes, matrix },
    metrics: valued({
      accuracy: correct / predictions.length,
      balancedAccuracy: averageOf(perClass, "sensitivity"),
      mcc: matthews(matrix),
      kappa: kappa(matrix),
      logLoss: logLoss / predictions.length,
      // The original, summed over the classes: Brier 1950, equation 2.
      brier: brier / predictions.length,
      // Of the predicted class.
      ece: expectedCalibrationError(outcomes, confidences),
      adaptiveEce: adaptiveCalibrationError(outcomes, confidences),
      aurocMacro: averageOf(perClass, "auroc"),
      f1Macro: averageOf(perClass, "f1"),
    }),
    perClass,
  };
}

/** One class against the rest: ranking by its probability, counts by the largest probability. */
function againstRest(
  predictions: readonly Prediction[],
  matrix: readonly (readonly number[])[],
  index: number,
): Record<string, number | null> {
  const truePositives = matrix[index]![index]!;
  const actual = matrix[index]!.reduce((a, b) => a + b, 0);
  const predicted = matrix.reduce((sum, row) => sum + row[index]!, 0);
  const binary = { ...columnOf(predictions, index), threshold: DEFAULT_THRESHOLD };
  return binaryMetrics(binary, {
    truePositives,
    falsePositives: predicted - truePositives,
    falseNegatives: actual - truePositives,
    trueNegatives: predictions.length - actual - predicted + truePositives,
  });
}

function findingsEvaluation(
  predictions: readonly Prediction[],
  findings: readonly string[],
  threshold: number,
): Evaluation {
  const perClass = Object.fromEntries(
    findings.map((name, index) => {
      const known = predictions.filter(({ target }) => target[index] !== null);
      return [name, valued(binaryMetrics({ ...columnOf(known, index), threshold }))];
    }),
  );
  return {
    n: predictions.length,
    positive: null,
    threshold,
    confusion: null,
    metrics: valued({
      accuracy: averageOf(perClass, "accuracy"),
      balancedAccuracy: averageOf(perClass, "balancedAccuracy"),
      logLoss: averageOf(perClass, "logLoss"),
      aurocMacro: averageOf(perClass, "auroc"),
      f1Macro: averageOf(perClass, "f1"),
    }),
    perClass,
  };
}

/** The mean of a metric over the classes that define it; null where none does. */
function averageOf(
  perClass: Readonly<Record<string, Readonly<Record<string, MetricValue>>>>,
  key: string,
): number | null {
  const defined = Object.values(perClass)
    .map((metrics) => metrics[key]!.value)
    .filter((value) => value !== null);
  return defined.length === 0 ? null : defined.reduce((a, b) => a + b, 0) / defined.length;
}
