import { DEFAULT_THRESHOLD, positiveOf } from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";

/** Class of a film by the model: at the threshold, or the most probable. */
export function classSaid(
  { task, predictions }: PredictionSet,
  index: number,
  threshold: number | null,
): number {
  const { probabilities } = predictions[index]!;
  const positive = positiveOf(task);
  if (positive !== null)
    return probabilities[positive]! >= (threshold ?? DEFAULT_THRESHOLD) ? positive : 1 - positive;
  const values = Array.from(probabilities);
  return values.indexOf(Math.max(...values));
}
