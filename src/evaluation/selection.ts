/** Which epoch is best, and where a probability becomes a positive: both chosen on validation. */
import type { Task } from "../datasets/index.portable.ts";
import { HilumError, nearest } from "../errors.ts";
import { BINARY_METRICS } from "./binary.ts";
import { chooseOperatingPoint } from "./operating-points/choose.ts";
import { type Prediction, positiveColumn } from "./prediction.ts";

/** Metrics that can choose an epoch, and whether higher is better. */
export const SELECTION_METRICS: Readonly<Record<string, "higher" | "lower">> = {
  ...Object.fromEntries(BINARY_METRICS.map(({ key, better }) => [key, better])),
  aurocMacro: "higher",
  f1Macro: "higher",
};

/** Throws `invalid-option` naming the nearest metric. */
export function selectionDirection(metric: string): "higher" | "lower" {
  const direction = SELECTION_METRICS[metric];
  if (direction) return direction;
  const names = Object.keys(SELECTION_METRICS);
  const suggestion = nearest(metric, names);
  throw new HilumError(
    "invalid-option",
    `No metric is called "${metric}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${names.join(", ")}.`,
    { option: "metric", value: metric, allowed: names },
  );
}

export function isBetter(
  candidate: number,
  best: number | null,
  direction: "higher" | "lower",
): boolean {
  if (Number.isNaN(candidate)) return false;
  return best === null || (direction === "higher" ? candidate > best : candidate < best);
}

/**
 * The threshold with the largest sensitivity + specificity on these predictions, midway to the next
 * lower score, so that it does not sit on a film. Null without two classes in the data.
 * Source: Youden 1950, "Index for rating diagnostic tests".
 */
export function youdenThreshold(predictions: readonly Prediction[], task: Task): number | null {
  const of = positiveColumn(predictions, task);
  return of && (chooseOperatingPoint(of.labels, of.scores, { kind: "youden" })?.threshold ?? null);
}
