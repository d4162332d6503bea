/** Predictions as the text of a CSV file that `readPredictions` reads back. */
import { labelsOf } from "../datasets/index.portable.ts";
import { UNKNOWN_PATIENT } from "./evaluation.ts";
import { positiveOf } from "./prediction.ts";
import type { PredictionSet } from "./prediction-set.ts";
import { PROBABILITY_PREFIX, TRUTH_PREFIX } from "./predictions-file.ts";

const NO_FINDING = "No Finding";

/** A header and one line for each film; probabilities in full. */
export function predictionsCsv({
  task,
  keys,
  patients,
  predictions,
  columns,
}: PredictionSet): string {
  const labels = labelsOf(task);
  const positive = positiveOf(task);
  const further = Object.keys(columns);
  const header = [
    "path",
    "patient",
    "label",
    ...(positive === null ? labels.map((name) => `${PROBABILITY_PREFIX}${name}`) : ["probability"]),
    ...(task.kind === "findings" ? labels.map((name) => `${TRUTH_PREFIX}${name}`) : []),
    ...further,
  ];
  const lines = keys.map((key, index) => {
    const { target, probabilities } = predictions[index]!;
    const patient = patients[index]!;
    return [
      key,
      patient.startsWith(UNKNOWN_PATIENT) ? "" : patient,
      labels.filter((_, label) => target[label] === 1).join("|") || NO_FINDING,
      ...(positive === null ? Array.from(probabilities) : [probabilities[positive]!]),
      ...(task.kind === "findings" ? target.map((value) => value ?? "") : []),
      ...further.map((name) => columns[name]![index]!),
    ];
  });
  return [header, ...lines]
    .map((cells) => `${cells.map((cell) => quoted(String(cell))).join(",")}\n`)
    .join("");
}

function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
