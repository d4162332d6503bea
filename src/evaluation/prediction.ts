/** What a model said of a film, beside what is true. */
import type { Task } from "../datasets/index.portable.ts";

export interface Prediction {
  /** One entry per label; null is unknown (findings only). */
  readonly target: readonly (0 | 1 | null)[];
  readonly probabilities: ArrayLike<number>;
}

/** Where neither the model nor the user says another. */
export const DEFAULT_THRESHOLD = 0.5;

/** Index of the positive class; null where there are several classes or findings. */
export function positiveOf(task: Task): number | null {
  return task.kind === "classes" ? task.positive : null;
}

/** The truth and the probability of one class, or of one finding over films of which it is known. */
export function columnOf(predictions: readonly Prediction[], index: number) {
  return {
    labels: predictions.map(({ target }) => target[index]!),
    scores: predictions.map(({ probabilities }) => probabilities[index]!),
  };
}

/** The truth and the probability of the positive class; null where there is none. */
export function positiveColumn(predictions: readonly Prediction[], task: Task) {
  const positive = positiveOf(task);
  return positive === null ? null : columnOf(predictions, positive);
}
