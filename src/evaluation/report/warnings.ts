/** What a reader has to know before the numbers. */
import { labelsOf } from "../../datasets/index.portable.ts";
import type { PredictionSet } from "../prediction-set.ts";

/** Below so many films of a class an interval spans a fifth of the scale and more. */
const FEW = 50;

export interface Circumstances {
  /** Films that could not be read. */
  readonly leftOut?: number | undefined;
  /** Films that the model was trained on. */
  readonly trainedOn?: number | undefined;
  /** Films by which its epoch and its operating point were chosen. */
  readonly validatedOn?: number | undefined;
  /** What crossed from training to validation when leaks were allowed. */
  readonly leaks?: readonly string[] | undefined;
}

export function warningsOf(
  { task, predictions }: PredictionSet,
  { leftOut = 0, trainedOn = 0, validatedOn = 0, leaks = [] }: Circumstances = {},
): string[] {
  const counts = labelsOf(task).map((label, column) => ({
    label,
    films: predictions.filter(({ target }) => target[column] === 1).length,
  }));
  const films = (count: number) => `${count.toLocaleString("en")} film${count === 1 ? "" : "s"}`;
  const absent = counts.filter(({ films: n }) => n === 0).map(({ label }) => label);
  const few = counts.filter(({ films: n }) => n > 0 && n < FEW);
  return [
    trainedOn > 0 &&
      `The model was trained on ${films(trainedOn)} of these: what is said here flatters it. Evaluate it on films that it has not seen.`,
    validatedOn > 0 &&
      `${films(validatedOn)} of these chose the model's epoch and operating point: what is said here is too good. Evaluate it on films that chose nothing.`,
    leaks.length > 0 &&
      "Patients or copies of films were on both sides when the model was trained and validated.",
    absent.length > 0 &&
      `No film is ${absent.join(" or ")}: what compares it with others is not defined.`,
    few.length > 0 &&
      `There are few films of ${few.map(({ label, films: n }) => `${label} (${n})`).join(", ")}: mind the intervals.`,
    leftOut > 0 &&
      `${films(leftOut)} could not be read and ${leftOut === 1 ? "is" : "are"} left out.`,
  ].filter((text) => text !== false);
}
