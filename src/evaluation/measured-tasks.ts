/** What is measured of each kind of task. */
import type { Task } from "../datasets/index.portable.ts";
import { kappa, matthews } from "./agreement.ts";
import { BINARY_METRICS, decide } from "./binary.ts";
import {
  type BinarySummary,
  binarySummaries,
  type DecidedCase,
  LOG_LOSS_CLIP,
} from "./binary-summary.ts";
import { weightedCalibrationErrors } from "./calibration-error.ts";
import { binaryNames, type Measured, type MetricName, named, wilson } from "./measured.ts";
import { columnOf, type Prediction } from "./prediction.ts";
import { inOrder, sortScores, type Weights } from "./sorted-scores.ts";

const valuesOf = (summary: BinarySummary): (number | null)[] =>
  BINARY_METRICS.map(({ compute }) => compute(summary));

function measureBinary(decided: DecidedCase): Measured {
  const summaries = binarySummaries(decided);
  return {
    names: binaryNames(null, decided),
    statistics: (weights) => {
      const summary = summaries(weights);
      return [...valuesOf(summary), ...summary.calibrationGaps];
    },
  };
}

/** The class of the largest probability, and the true one. */
interface Decision {
  readonly truth: number;
  readonly predicted: number;
  readonly confidence: number;
}

export function decisionOf({ target, probabilities }: Prediction): Decision {
  const values = Array.from(probabilities);
  const confidence = Math.max(...values);
  return { truth: target.indexOf(1), predicted: values.indexOf(confidence), confidence };
}

/** Rows are what is true, columns what was predicted. */
export function confusionMatrix(
  decisions: readonly Decision[],
  size: number,
  weights?: Weights,
): number[][] {
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  decisions.forEach(({ truth, predicted }, film) => {
    matrix[truth]![predicted]! += weights ? weights[film]! : 1;
  });
  return matrix;
}

/** One class against the rest: ranking by its probability, counts by the largest probability. */
function measureClasses(predictions: readonly Prediction[], classes: readonly string[]): Measured {
  const decisions = predictions.map(decisionOf);
  const ofClasses = classes.map(
    (_, index): DecidedCase => ({
      ...columnOf(predictions, index),
      decisions: decisions.map(({ predicted }) => Number(predicted === index)),
    }),
  );
  const summaries = ofClasses.map(binarySummaries);
  const losses = decisions.map(
    ({ truth }, film) =>
      -Math.log(Math.min(1, Math.max(LOG_LOSS_CLIP, predictions[film]!.probabilities[truth]!))),
  );
  // The original, summed over the classes: Brier 1950, equation 2.
  const briers = predictions.map(({ target, probabilities }) =>
    target.reduce<number>((sum, truth, index) => sum + (probabilities[index]! - truth!) ** 2, 0),
  );
  const rights = decisions.map(({ truth, predicted }) => Number(truth === predicted));
  // Of the predicted class.
  const sorted = sortScores(
    rights,
    decisions.map(({ confidence }) => confidence),
  );
  const calibrationErrors = weightedCalibrationErrors(sorted);
  const held = new Uint32Array(predictions.length);
  const right = rights.reduce((sum, value) => sum + value, 0);
  const names: readonly MetricName[] = [
    { ...named("accuracy", NO_FILMS), closed: wilson(right, predictions.length) },
    named("balancedAccuracy", NO_FILMS),
    named("mcc", "all images are, or are called, of one class"),
    named("kappa", "all images are, and are called, of one class"),
    named("logLoss", NO_FILMS),
    named("brier", NO_FILMS),
    named("ece", NO_FILMS),
    named("adaptiveEce", NO_FILMS),
    named("aurocMacro", "all images are of one class"),
    named("f1Macro", NO_FILMS),
  ];
  return {
    names: [...names, ...classes.flatMap((name, index) => binaryNames(name, ofClasses[index]!))],
    statistics: (weights) => {
      const matrix = confusionMatrix(decisions, classes.length, weights);
      const each = summaries.map((summary) => summary(weights));
      const ofEach = each.map(valuesOf);
      const calibration = calibrationErrors(inOrder(sorted, weights, held));
      return [
        weightedMean(rights, weights),
        averageOf(ofEach, "sensitivity"),
        matthews(matrix),
        kappa(matrix),
        weightedMean(losses, weights),
        weightedMean(briers, weights),
        calibration.expected,
        calibration.adaptive,
        averageOf(ofEach, "auroc"),
        averageOf(ofEach, "f1"),
        ...ofEach.flat(),
        ...calibration.gaps,
        ...each.flatMap(({ calibrationGaps }) => calibrationGaps),
      ];
    },
  };
}

/** Of every finding over the films of which it is known. */
function measureFindings(
  predictions: readonly Prediction[],
  findings: readonly string[],
  threshold: number,
): Measured {
  const parts = findings.map((_, index) => {
    const known = Uint32Array.from(
      predictions.flatMap(({ target }, film) => (target[index] === null ? [] : [film])),
    );
    const ofKnown = columnOf(
      Array.from(known, (film) => predictions[film]!),
      index,
    );
    const decided = decide({ ...ofKnown, threshold });
    const summaries = binarySummaries(decided);
    const held = new Uint32Array(known.length);
    const summary = (weights: Weights) => {
      for (let place = 0; place < held.length; place++) held[place] = weights[known[place]!]!;
      return summaries(held);
    };
    return { decided, summary };
  });
  return {
    names: [
      ...FINDINGS_AVERAGES.map(([key]) => named(key, `no finding defines it`)),
      ...findings.flatMap((name, index) => binaryNames(name, parts[index]!.decided)),
    ],
    statistics: (weights) => {
      const each = parts.map(({ summary }) => summary(weights));
      const ofEach = each.map(valuesOf);
      return [
        ...FINDINGS_AVERAGES.map(([, of]) => averageOf(ofEach, of)),
        ...ofEach.flat(),
        ...each.flatMap(({ calibrationGaps }) => calibrationGaps),
      ];
    },
  };
}

const FINDINGS_AVERAGES = [
  ["accuracy", "accuracy"],
  ["balancedAccuracy", "balancedAccuracy"],
  ["logLoss", "logLoss"],
  ["aurocMacro", "auroc"],
  ["f1Macro", "f1"],
] as const;

const NO_FILMS = "there are no images";

/** The mean of a metric over the classes that define it; null where none does. */
function averageOf(ofEach: readonly (readonly (number | null)[])[], key: string): number | null {
  const column = BINARY_METRICS.findIndex((metric) => metric.key === key);
  const defined = ofEach.map((values) => values[column]!).filter((value) => value !== null);
  return defined.length === 0 ? null : defined.reduce((a, b) => a + b, 0) / defined.length;
}

function weightedMean(values: readonly number[], weights: Weights): number | null {
  let [sum, total] = [0, 0];
  for (let film = 0; film < values.length; film++) {
    sum += weights[film]! * values[film]!;
    total += weights[film]!;
  }
  return total === 0 ? null : sum / total;
}

/** What the task asks for. Classes without a positive one know no threshold. */
export function measure(
  predictions: readonly Prediction[],
  task: Task,
  threshold: number,
): Measured {
  if (task.kind === "findings") return measureFindings(predictions, task.findings, threshold);
  if (task.positive === null) return measureClasses(predictions, task.classes);
  return measureBinary(decide({ ...columnOf(predictions, task.positive), threshold }));
}
