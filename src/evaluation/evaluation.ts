/** The whole evaluation of a set of predictions, for any task. Plain data. */
import { labelsOf, type Task } from "../datasets/index.portable.ts";
import { HilumError } from "../errors.ts";
import { confusionOf, decide } from "./binary.ts";
import { binarySummary } from "./binary-summary.ts";
import {
  type IntervalOptions,
  type IntervalSettings,
  intervalSettings,
} from "./intervals/settings.ts";
import type { Measured } from "./measured.ts";
import { confusionMatrix, decisionOf, measure } from "./measured-tasks.ts";
import { type MetricValue, metricValues } from "./metric-values.ts";
import { columnOf, DEFAULT_THRESHOLD, type Prediction } from "./prediction.ts";

export interface Evaluation {
  readonly n: number;
  /** How many there are; null where they are not known. */
  readonly patients: number | null;
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
  /** How the intervals were made; null where there are none. */
  readonly intervals: IntervalSettings | null;
}

export interface EvaluateOptions extends IntervalOptions {
  readonly threshold?: number | undefined;
}

/** What a data set calls the patient of a film of which it knows none. */
export const UNKNOWN_PATIENT = "file:";

/**
 * Metrics with their intervals (2,000 rounds, 95 %, seed 0 by default), confusion and counts. Throws
 * `evaluation-empty`, `probability-invalid` and `invalid-option`.
 */
export function evaluatePredictions(
  predictions: readonly Prediction[],
  task: Task,
  { threshold = DEFAULT_THRESHOLD, patients, ...options }: EvaluateOptions = {},
): Evaluation {
  checkPredictions(predictions, patients);
  const settings = intervalSettings(options);
  const measured = measure(predictions, task, threshold);
  const values = metricValues(measured, predictions.length, patients, settings);
  const isBinary = task.kind === "classes" && task.positive !== null;
  const perClass = Object.fromEntries(
    labelsOf(task).map((label) => [label, scoped(measured, values, label)]),
  );
  return {
    n: predictions.length,
    patients: patients?.some((patient) => !patient.startsWith(UNKNOWN_PATIENT))
      ? new Set(patients).size
      : null,
    positive: isBinary ? task.classes[task.positive!]! : null,
    threshold: isBinary || task.kind === "findings" ? threshold : null,
    confusion: confusionFor(predictions, task, threshold),
    metrics: scoped(measured, values, null),
    ...(isBinary ? {} : { perClass }),
    intervals: settings.rounds === 0 ? null : settings,
  };
}

function checkPredictions(
  predictions: readonly Prediction[],
  patients: readonly string[] | undefined,
): void {
  if (predictions.length === 0)
    throw new HilumError(
      "evaluation-empty",
      "There is nothing to evaluate: no readable image has a label.",
    );
  if (patients && patients.length !== predictions.length)
    throw new HilumError(
      "invalid-option",
      `Option patients names ${patients.length} patients for ${predictions.length} predictions; it has to name one for each.`,
      { option: "patients", expected: predictions.length, received: patients.length },
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

/** The values of one class or finding, or of the whole, by key. */
function scoped(
  { names }: Measured,
  values: readonly MetricValue[],
  scope: string | null,
): Record<string, MetricValue> {
  return Object.fromEntries(
    names.flatMap((name, index) => (name.scope === scope ? [[name.key, values[index]!]] : [])),
  );
}

function confusionFor(
  predictions: readonly Prediction[],
  task: Task,
  threshold: number,
): Evaluation["confusion"] {
  if (task.kind === "findings") return null;
  const labels = task.classes;
  if (task.positive === null)
    return { labels, matrix: confusionMatrix(predictions.map(decisionOf), labels.length) };
  const negativeFirst = confusionOf(
    binarySummary(decide({ ...columnOf(predictions, task.positive), threshold })),
  );
  const matrix =
    task.positive === 1 ? negativeFirst : negativeFirst.map((row) => row.toReversed()).toReversed();
  return { labels, matrix };
}
