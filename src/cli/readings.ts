/** Readings of films as a table for people and as comma-separated values. */

import type { FileReading } from "../classifier/index.node.ts";
import { gateWords } from "../classifier/index.ts";
import { labelsOf, type Task } from "../datasets/index.portable.ts";
import { table } from "./table.ts";

export function readingsTable(readings: readonly FileReading[], positive: string | null): string {
  const rows = readings.map(({ path, reading, error }) => {
    if (error) return [path, "–", `not read: ${error.code}`];
    const { label, probability, probabilities, assessed, reasons } = reading!;
    if (!assessed) return [path, "not assessed", gateWords(reasons)];
    const numbers =
      probability === null
        ? Object.entries(probabilities)
            .map(([name, value]) => `${name} ${value.toFixed(3)}`)
            .join("  ")
        : probability.toFixed(4);
    return [path, label!, numbers];
  });
  const notes = readings.flatMap(({ path, reading }) =>
    reading?.assessed && reading.corrections.length + reading.warnings.length > 0
      ? [`${path}: ${gateWords([...reading.corrections, ...reading.warnings])}`]
      : [],
  );
  const readTable = table(rows, [
    "film",
    "label",
    positive === null ? "probabilities" : `probability of ${positive}`,
  ]);
  return [readTable, ...notes].join("\n");
}

/**
 * Columns path, label, probability (of the positive class; with several classes or findings one
 * column p:LABEL for each), error (of an image that is not assessed, its reasons joined by "|").
 */
export function readingsCsv(readings: readonly FileReading[], task: Task): string {
  const isBinary = task.kind === "classes" && task.positive !== null;
  const columns = isBinary ? ["probability"] : labelsOf(task).map((label) => `p:${label}`);
  const numbersOf = ({ reading }: FileReading) => {
    if (!reading?.assessed) return columns.map(() => "");
    return isBinary ? [reading.probability] : Object.values(reading.probabilities);
  };
  const rows = readings.map((entry) => [
    entry.path,
    entry.reading?.label ?? "",
    ...numbersOf(entry),
    entry.error?.code ?? entry.reading!.reasons.join("|"),
  ]);
  return [["path", "label", ...columns, "error"], ...rows]
    .map((row) => row.map((cell) => quoted(String(cell))).join(","))
    .join("\n");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
