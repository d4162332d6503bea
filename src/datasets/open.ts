/** Opening a data set: find its layout, then its samples. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { HilumError, nearest } from "../errors.ts";
import { compareBytes, type Dataset, type DatasetProblem, type DatasetReading } from "./dataset.ts";
import { readFolders } from "./folders.ts";
import { findManifest, readManifest } from "./manifest.ts";
import type { Samples } from "./samples.ts";
import { labelsOf, type Task } from "./task.ts";
import { agreeing } from "./wording.ts";

export interface OpenOptions {
  /** Its first group (or whole match) in a file's name, or else in its path, is the patient. */
  readonly patientPattern?: string | undefined;
  /** Its first group in a file's name, upper-cased, is the class; no match leaves the folder's. */
  readonly labelPattern?: string | undefined;
  /** A CSV or JSONL file with labels: in the folder, or else from the working directory. */
  readonly manifest?: string | undefined;
  /** Which of two classes is the positive one; the second by default. */
  readonly positive?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The data set in a folder, or behind a manifest file. Throws `file-not-found`, `file-forbidden`,
 * `dataset-empty`, `dataset-one-class`, `dataset-ambiguous`, `manifest-invalid`, `invalid-option`.
 *
 * @example
 * const films = await openDataset("chest_xray");
 * const tests = films.split("test");
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
  const root = info.isDirectory() ? path : dirname(path);
  const manifest = info.isDirectory() ? await chosenManifest(root, options) : path;
  const reading = manifest
    ? await readManifest(manifest, { ...options, root })
    : await readFolders(root, options);
  await check(source, reading);
  const { samples } = reading;
  return {
    root: reading.root,
    layout: reading.layout,
    task: withPositive(source, reading.task, options.positive),
    samples,
    problems: [...reading.problems, ...unknownPatients(samples)],
    split: (name) => samples.filter((sample) => sample.split === name),
  };
}

async function chosenManifest(root: string, options: OpenOptions): Promise<string | undefined> {
  if (options.manifest === undefined) return findManifest(root);
  const inside = join(root, options.manifest);
  const isInside = await stat(inside).catch(() => undefined);
  return isInside ? inside : resolve(options.manifest);
}

async function check(
  source: string,
  { root, task, samples, problems }: DatasetReading,
): Promise<void> {
  const unlabelled = problems.find(({ code }) => code === "image-unlabelled");
  if (samples.length === 0)
    throw new HilumError(
      "dataset-empty",
      unlabelled
        ? `${source} holds images, but no folder of a class (${unlabelled.key} lies in none). Name the folder above the class folders${await manifestHint(root)}.`
        : `${source} holds no labelled images. Expected CLASS/*.jpeg, split/CLASS/*.jpeg, or a manifest with columns path and label${await manifestHint(root)}.`,
      { path: source },
    );
  const labels = labelsOf(task);
  if (task.kind === "findings" || labels.length > 1) return;
  throw new HilumError(
    "dataset-one-class",
    `${source} holds one class only (${labels.join(", ")}). A classifier needs at least two: name the folder above the class folders.`,
    { path: source, classes: labels },
  );
}

/** A label file under another name is easily taken for found. */
async function manifestHint(root: string): Promise<string> {
  const names = await readdir(root).catch(() => []);
  const found = names.sort(compareBytes).find((name) => /\.(csv|tsv|jsonl)$/i.test(extname(name)));
  return found ? ` (is ${basename(found)} one? Then name it in place of the folder)` : "";
}

function withPositive(source: string, task: Task, positive: string | undefined): Task {
  if (positive === undefined) return task;
  const classes = task.kind === "classes" ? task.classes : [];
  if (classes.length === 2 && classes.includes(positive) && task.kind === "classes")
    return { ...task, positive: classes.indexOf(positive) };
  const close = nearest(positive, classes);
  throw new HilumError(
    "invalid-option",
    classes.length === 2
      ? `--positive ${positive} is no class of ${source}; its classes are ${classes.join(" and ")}.${close ? ` Did you mean ${close}?` : ""}`
      : `--positive ${positive} has no meaning here: ${source} has ${classes.length || "no exclusive"} classes, and only of two one is the positive. Leave it out.`,
    { option: "positive", value: positive, allowed: classes },
  );
}

function unknownPatients(samples: Samples): DatasetProblem[] {
  const unknown = samples.filter((sample) => sample.patient.startsWith("file:"));
  if (unknown.length === 0) return [];
  return [
    {
      code: "patient-unknown",
      key: unknown.at(0)!.key,
      severity: "warning",
      message: `${unknown.length} of ${samples.length} images ${agreeing(unknown.length, "names", "name")} no patient (first: ${unknown.at(0)!.key}), so each counts as its own: several films of one patient may cross splits. Give --patient-pattern or a patient column.`,
    },
  ];
}
