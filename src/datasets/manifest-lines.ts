/** The manifest that a run used, as JSONL that `openDataset` reads back. */
import { classOf, type Sample } from "./dataset.ts";
import type { DigestInPart } from "./leaks.ts";
import type { DataSplit } from "./split.ts";
import type { Task } from "./task.ts";

const PARTS = [
  ["train", "train"],
  ["validation", "val"],
  ["test", "test"],
] as const;

export interface ManifestOptions {
  /** Kept in the column `sha256`. */
  readonly digestOf?: DigestInPart | undefined;
}

/**
 * One line of JSON for each sample: path (its key), split, patient, then `label`, or `findings` with
 * 1, 0 or null for each, then the sample's further columns. Each ends in a line feed, and is made only
 * when it is asked for.
 */
export function* manifestLines(
  split: Pick<DataSplit, "train" | "validation"> & Partial<Pick<DataSplit, "test">>,
  task: Task,
  { digestOf = () => undefined }: ManifestOptions = {},
): Generator<string, void, undefined> {
  for (const [part, name] of PARTS) {
    let index = 0;
    for (const sample of split[part] ?? [])
      yield `${JSON.stringify({
        ...sample.columns,
        path: sample.key,
        split: name,
        patient: sample.patient,
        ...labelsOf(sample, task),
        sha256: digestOf(sample, index++, part) ?? sample.columns.sha256,
      })}\n`;
  }
}

function labelsOf(sample: Sample, task: Task): object {
  if (task.kind === "classes") return { label: task.classes[classOf(sample, task)] };
  const entries = task.findings.map((name, index) => [name, sample.target[index] ?? null]);
  return { findings: Object.fromEntries(entries) };
}
