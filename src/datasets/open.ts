/** Opening a data set: find its layout, then its samples. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HilumError } from "../errors.ts";
import { compareBytes, type Dataset, type DatasetProblem, type Sample } from "./dataset.ts";
import { type FolderReading, readFolders } from "./folders.ts";
import { findManifest, readManifest } from "./manifest.ts";
import type { Task } from "./task.ts";

export interface OpenOptions {
  /** Its first group (or whole match) in a file's name is the patient. */
  readonly patientPattern?: string | undefined;
  /** Its first group in a file's name, upper-cased, is the class; no match leaves the folder's. */
  readonly labelPattern?: string | undefined;
  /** A CSV or JSONL file with labels, relative to the folder. */
  readonly manifest?: string | undefined;
  readonly positive?: string | undefined;
}

/**
 * The data set in a folder, or behind a manifest file. Throws `file-not-found`, `dataset-empty`,
 * `dataset-one-class`, `manifest-invalid`, `invalid-option`.
 */
export async function openDataset(source: string, options: OpenOptions = {}): Promise<Dataset> {
  const path = resolve(source);
  const info = await stat(path).catch(() => undefined);
  if (!info)
    throw new HilumError(
      "file-not-found",
      `There is no folder or manifest "${source}". Check the path.`,
      { path: source },
    );
  const isFile = info.isFile();
  const root = isFile ? dirname(path) : path;
  const manifest = isFile ? path : await chosenManifest(root, options);
  const reading = manifest
    ? await readManifest(manifest, { ...options, root })
    : await readFolders(root, options);
  return datasetOf(source, reading, options);
}

async function chosenManifest(root: string, options: OpenOptions): Promise<string | undefined> {
  return options.manifest === undefined ? findManifest(root) : join(root, options.manifest);
}

function datasetOf(source: string, reading: FolderReading, { positive }: OpenOptions): Dataset {
  const { task } = reading;
  const samples = [...reading.samples].sort((a, b) => compareBytes(a.key, b.key));
  if (samples.length === 0)
    throw new HilumError(
      "dataset-empty",
      `${source} holds no labelled images. Expected CLASS/*.jpeg, split/CLASS/*.jpeg, or a manifest.csv with columns path and label.`,
      { path: source },
    );
  if (task.kind === "classes" && task.classes.length < 2)
    throw new HilumError(
      "dataset-one-class",
      `${source} holds one class only (${task.classes.join(", ")}). A classifier needs at least two: name the folder above the class folders.`,
      { path: source, classes: task.classes },
    );
  if (positive !== undefined && task.kind === "classes" && !task.classes.includes(positive))
    throw new HilumError(
      "invalid-option",
      `--positive ${positive} is not a class of ${source}. Its classes: ${task.classes.join(", ")}.`,
      { option: "positive", value: positive, allowed: task.classes },
    );
  return {
    root: reading.root,
    layout: reading.layout,
    task: withPositive(task, positive),
    samples,
    problems: [...reading.problems, ...unknownPatients(samples)],
    split: (name) => samples.filter((sample) => sample.split === name),
  };
}

function withPositive(task: Task, positive: string | undefined): Task {
  if (task.kind !== "classes" || task.classes.length !== 2) return task;
  return { ...task, positive: positive === undefined ? 1 : task.classes.indexOf(positive) };
}

function unknownPatients(samples: readonly Sample[]): DatasetProblem[] {
  const count = samples.filter((sample) => sample.patient.startsWith("file:")).length;
  if (count === 0) return [];
  return [
    {
      code: "patient-unknown",
      key: null,
      severity: "warning",
      message: `${count} of ${samples.length} images name no patient, so each counts as its own: several films of one patient may cross splits. Give --patient-pattern or a patient column.`,
    },
  ];
}
