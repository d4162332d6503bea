/** Predictions of one model with what is known of their films: what a report is made of. */
import type { Samples, Task } from "../datasets/index.portable.ts";
import { HilumError } from "../errors.ts";
import { UNKNOWN_PATIENT } from "./evaluation.ts";
import type { Prediction } from "./prediction.ts";

export interface PredictionSet {
  readonly task: Task;
  /** Path of each film as its data set names it; unique. */
  readonly keys: readonly string[];
  /** "file:<key>" where the patient is unknown. */
  readonly patients: readonly string[];
  readonly predictions: readonly Prediction[];
  /** Further columns by name, a text for each film; "" where it says nothing. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

/** What a data set's films and their predictions are together. */
export function predictionSetOf(
  samples: Samples,
  predictions: readonly Prediction[],
  task: Task,
): PredictionSet {
  const names = new Set(samples.flatMap(({ columns }) => Object.keys(columns)));
  return {
    task,
    keys: samples.map(({ key }) => key),
    patients: samples.map(({ patient }) => patient),
    predictions,
    columns: Object.fromEntries(
      [...names].map((name) => [name, samples.map(({ columns }) => columns[name] ?? "")]),
    ),
  };
}

/** The set without paths and patients: both are numbered, and only the named columns stay. */
export function anonymous(set: PredictionSet, columns: readonly string[]): PredictionSet {
  const numbers = new Map<string, number>();
  for (const patient of set.patients)
    if (!numbers.has(patient)) numbers.set(patient, numbers.size + 1);
  return {
    ...set,
    keys: set.keys.map((_, index) => `image ${index + 1}`),
    patients: set.patients.map((patient, index) =>
      patient.startsWith(UNKNOWN_PATIENT)
        ? `${UNKNOWN_PATIENT}image ${index + 1}`
        : `patient ${numbers.get(patient)}`,
    ),
    columns: Object.fromEntries(
      Object.entries(set.columns).filter(([name]) => columns.includes(name)),
    ),
  };
}

/** The films whose column `split` says so. Throws `split-unknown`. */
export function withSplit(set: PredictionSet, split: string): PredictionSet {
  const column = set.columns.split ?? [];
  const kept = column.flatMap((value, index) => (value === split ? [index] : []));
  if (kept.length === 0) {
    const allowed = [...new Set(column)].filter((value) => value !== "");
    throw new HilumError(
      "split-unknown",
      `There is no split "${split}". ${allowed.length === 0 ? "The predictions have no column split: leave --split out." : `There are: ${allowed.join(", ")}.`}`,
      { split, allowed },
    );
  }
  const pick = <T>(values: readonly T[]) => kept.map((index) => values[index]!);
  return {
    task: set.task,
    keys: pick(set.keys),
    patients: pick(set.patients),
    predictions: pick(set.predictions),
    columns: Object.fromEntries(
      Object.entries(set.columns).map(([name, values]) => [name, pick(values)]),
    ),
  };
}
