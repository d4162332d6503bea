/** A classifier held against labelled films. */
import {
  type Classifier,
  type FileReading,
  loadClassifier,
  type ReadFilesOptions,
} from "../classifier/index.node.ts";
import {
  type Dataset,
  type DatasetProblem,
  labelsOf,
  openDataset,
  type Sample,
  type Samples,
  type Task,
} from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import { type Evaluation, evaluatePredictions } from "./evaluation.ts";
import type { IntervalOptions } from "./intervals/settings.ts";
import type { Prediction } from "./prediction.ts";
import { type FilmShape, filmShape } from "./subgroups/film-columns.ts";

export interface EvaluateDatasetOptions
  extends ReadFilesOptions,
    Omit<IntervalOptions, "patients"> {
  /** Which split; by default the test part where there is one, else everything. */
  readonly split?: string | undefined;
  /** By default the model's own operating point. */
  readonly threshold?: number | undefined;
  /** Throws at the first film that cannot be read. */
  readonly isStrict?: boolean | undefined;
}

export interface DatasetEvaluation {
  readonly evaluation: Evaluation;
  readonly split: string | null;
  readonly samples: Samples;
  readonly predictions: readonly Prediction[];
  /** Whether the model's gate lets a film through, one for each prediction. */
  readonly isAssessed: readonly boolean[];
  /** Before the model's calibration; null where it has none, or its reader was not asked for them. */
  readonly uncalibrated: readonly Prediction[] | null;
  /** What each film is like. */
  readonly films: readonly FilmShape[];
  readonly problems: readonly DatasetProblem[];
  /** Without the films that the model's gate rejects; null where it has no gate. */
  readonly assessed: AssessedEvaluation | null;
}

export interface AssessedEvaluation {
  /** Films that are left. */
  readonly n: number;
  readonly rejected: number;
  /** Null where none is left. */
  readonly metrics: Evaluation["metrics"] | null;
}

/**
 * The evaluation of a classifier (or of the one in a run folder or `.onnx` file) on a data set (or
 * the folder of one) at its stored operating point. Throws `labels-differ` when the data set has
 * other classes, `split-unknown` when it has no such split, and what loading and opening throw.
 *
 * @example
 * const { evaluation } = await evaluate("runs/cnn", "chest_xray", { split: "test" });
 * console.log(evaluation.metrics.auroc?.value);
 */
export async function evaluate(
  model: Classifier | string,
  data: Dataset | string,
  options: EvaluateDatasetOptions = {},
): Promise<DatasetEvaluation> {
  const dataset = typeof data === "string" ? await openDataset(data) : data;
  if (typeof model !== "string") return evaluateOn(model, dataset, options);
  await using classifier = await loadClassifier(model);
  return await evaluateOn(classifier, dataset, options);
}

async function evaluateOn(
  classifier: Classifier,
  dataset: Dataset,
  options: EvaluateDatasetOptions,
): Promise<DatasetEvaluation> {
  const { task, operatingPoint } = classifier.metadata;
  const columns = matchLabels(task, dataset.task);
  // Of a class that the data lack no film is; of a finding that they lack nothing is known.
  const lacking = task.kind === "findings" ? null : 0;
  const { split, samples } = chosenSamples(dataset, options.split);
  const paths = samples.map(({ path }) => path);
  const readings: (FileReading & { readonly shape?: FilmShape | undefined })[] = [];
  for await (const chunk of classifier.films(paths, options)) {
    for (const { film, ...reading } of chunk)
      readings.push({ ...reading, shape: film && filmShape(film) });
    options.onProgress?.({ done: readings.length, total: paths.length });
  }
  const problems: DatasetProblem[] = [];
  const kept: Sample[] = [];
  const predictions: Prediction[] = [];
  const uncalibrated: Prediction[] = [];
  const films: FilmShape[] = [];
  const isAssessed: boolean[] = [];
  readings.forEach(({ reading, uncalibrated: plain, shape, error }, index) => {
    const sample = samples.at(index)!;
    if (error) {
      if (options.isStrict) throw error;
      problems.push({
        code: error.code,
        key: sample.key,
        message: error.message,
        severity: "error",
      });
      return;
    }
    kept.push(sample);
    isAssessed.push(reading!.assessed);
    films.push(shape!);
    const target = columns.map((column) => (column < 0 ? lacking : sample.target[column]!));
    if (plain) uncalibrated.push({ target, probabilities: plain });
    predictions.push({
      target,
      probabilities: labelsOf(task).map((label) => reading!.probabilities[label]!),
    });
  });
  const evaluated = (isKept: (index: number) => boolean) =>
    evaluatePredictions(
      predictions.filter((_, index) => isKept(index)),
      task,
      {
        ...options,
        threshold: options.threshold ?? operatingPoint?.threshold,
        patients: kept.filter((_, index) => isKept(index)).map(({ patient }) => patient),
      },
    );
  const evaluation = evaluated(() => true);
  const n = isAssessed.filter(Boolean).length;
  const metrics =
    n === kept.length
      ? evaluation.metrics
      : n > 0
        ? evaluated((i) => isAssessed[i]!).metrics
        : null;
  const assessed = classifier.gate ? { n, rejected: kept.length - n, metrics } : null;
  return {
    ...{ evaluation, split, samples: kept, predictions, isAssessed, films, problems, assessed },
    uncalibrated: uncalibrated.length > 0 ? uncalibrated : null,
  };
}

/** For each label of the model its column in the data set, -1 where the data set lacks it. */
function matchLabels(model: Task, data: Task): number[] {
  const known = labelsOf(model);
  const given = labelsOf(data);
  const strange = given.filter((label) => !known.includes(label));
  if (strange.length > 0 || model.kind !== data.kind)
    throw new HilumError(
      "labels-differ",
      `The model tells ${known.join(", ")} apart, but the data have ${given.join(", ")}. Evaluate it on data with its own labels (--label-pattern chooses them).`,
      { model: known, data: given },
    );
  return known.map((label) => given.indexOf(label));
}

/** The films of a split, by default of the test part where there is one. Throws `split-unknown`. */
export function chosenSamples(
  dataset: Dataset,
  wanted: string | undefined,
): { split: string | null; samples: Samples } {
  const names = [...new Set(dataset.samples.map(({ split }) => split))].filter(
    (name) => name !== null,
  );
  const split = wanted ?? (names.includes("test") ? "test" : null);
  if (split === null) return { split, samples: dataset.samples };
  if (names.includes(split)) return { split, samples: dataset.split(split) };
  throw new HilumError(
    "split-unknown",
    `There is no split "${split}". ${names.length === 0 ? "The data set has no splits: leave --split out." : `There are: ${names.join(", ")}.`}`,
    { split, allowed: names },
  );
}
