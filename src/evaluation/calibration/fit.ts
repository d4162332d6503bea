/** Calibrations fitted to predictions: always those of validation films, never those evaluated. */
import {
  type Calibration,
  type CalibrationMethod,
  PROBABILITY_CLIP,
  type ProbabilityMap,
} from "../../classifier/index.ts";
import type { Task } from "../../datasets/index.portable.ts";
import { HilumError, nearest } from "../../errors.ts";
import { columnOf, type Prediction } from "../prediction.ts";
import { isotonicKnots } from "./isotonic.ts";
import { logisticRegression } from "./logistic.ts";
import { temperatureOf } from "./temperature.ts";

/** A finding, or the positive class, of each film: 1 or 0, its probability and that of the contrary. */
interface Column {
  readonly labels: readonly number[];
  readonly scores: readonly number[];
  readonly rests: readonly number[];
}

interface MethodEntry {
  readonly title: string;
  fit(column: Column): ProbabilityMap;
}

const logOf = (p: number): number => Math.log(Math.max(PROBABILITY_CLIP, p));
const logits = ({ scores, rests }: Column): number[] =>
  scores.map((score, film) => logOf(score) - logOf(rests[film]!));

export const CALIBRATION_METHODS: Readonly<Record<CalibrationMethod, MethodEntry>> = {
  temperature: {
    title: "temperature scaling",
    fit: (column) => {
      const rows = logits(column).map((z) => [0, z]);
      const slope = 1 / temperatureOf(rows, column.labels);
      return { kind: "logistic", slope, intercept: 0 };
    },
  },
  platt: {
    title: "Platt scaling",
    // Source: Platt 1999, with targets drawn in from 0 and 1 as its section 2.2 says.
    fit: (column) => {
      const { labels } = column;
      const positives = labels.reduce((sum, label) => sum + label, 0);
      const high = (positives + 1) / (positives + 2);
      const low = 1 / (labels.length - positives + 2);
      const targets = labels.map((label) => (label === 1 ? high : low));
      const rows = logits(column).map((z) => [z, 1]);
      const [slope, intercept] = logisticRegression(rows, targets) as [number, number];
      return { kind: "logistic", slope, intercept };
    },
  },
  beta: { title: "beta calibration", fit: fitBeta },
  isotonic: {
    title: "isotonic regression",
    fit: ({ labels, scores }) => ({ kind: "isotonic", knots: isotonicKnots(labels, scores) }),
  },
};

/**
 * Source: Kull, Silva Filho and Flach 2017, "Beta calibration", section 4: a logistic regression on
 * ln p and -ln(1 - p), without the one whose weight would be negative.
 */
function fitBeta({ labels, scores, rests }: Column): ProbabilityMap {
  const rises = scores.map(logOf);
  const falls = rests.map((rest) => -logOf(rest));
  const regress = (features: readonly (readonly number[])[]) =>
    logisticRegression(
      labels.map((_, film) => [...features.map((feature) => feature[film]!), 1]),
      labels,
    );
  const [a, b, c] = regress([rises, falls]) as [number, number, number];
  if (a < 0) {
    const [only, shift] = regress([falls]) as [number, number];
    return { kind: "beta", a: 0, b: only, c: shift };
  }
  if (b < 0) {
    const [only, shift] = regress([rises]) as [number, number];
    return { kind: "beta", a: only, b: 0, c: shift };
  }
  return { kind: "beta", a, b, c };
}

/**
 * The calibration of a method (CALIBRATION_METHODS). Two classes and findings know all methods,
 * several classes temperature only. A finding without both outcomes stays as it is. Throws
 * `calibration-impossible` without both classes, or for a method that several classes do not know,
 * and `invalid-option` for another method.
 */
export function fitCalibration(
  predictions: readonly Prediction[],
  task: Task,
  method: CalibrationMethod,
): Calibration {
  const entry = CALIBRATION_METHODS[method];
  if (!entry) throw unknownMethod(method);
  if (task.kind === "findings")
    return {
      method,
      maps: task.findings.map((_, label) => {
        const known = predictions.filter(({ target }) => target[label] !== null);
        const { labels, scores } = columnOf(known, label);
        const rests = scores.map((score) => 1 - score);
        return hasBoth(labels) ? entry.fit({ labels, scores, rests }) : null;
      }),
    };
  const { classes, positive } = task;
  const present = classes.filter((_, label) =>
    predictions.some(({ target }) => target[label] === 1),
  );
  if (present.length < 2)
    throw new HilumError(
      "calibration-impossible",
      `A calibration needs validation films of two classes; these are all of ${present[0] ?? "none"}.`,
      { present },
    );
  if (positive !== null) {
    const rests = columnOf(predictions, 1 - positive).scores;
    const map = entry.fit({ ...columnOf(predictions, positive), rests });
    return { method, positive: positive === 1 ? 1 : 0, map };
  }
  if (method !== "temperature")
    throw new HilumError(
      "calibration-impossible",
      `${method} calibrates two classes; for ${classes.length} classes take temperature.`,
      { method, classes: classes.length },
    );
  const rows = predictions.map(({ probabilities }) => Array.from(probabilities, logOf));
  const truths = predictions.map(({ target }) => target.indexOf(1));
  return { method, temperature: temperatureOf(rows, truths) };
}

const hasBoth = (labels: readonly number[]): boolean => new Set(labels).size === 2;

function unknownMethod(method: string): HilumError {
  const allowed = Object.keys(CALIBRATION_METHODS);
  const suggestion = nearest(method, allowed);
  return new HilumError(
    "invalid-option",
    `No calibration is called "${method}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${allowed.join(", ")}.`,
    { option: "method", value: method, allowed },
  );
}
