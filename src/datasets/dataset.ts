/** What a data set is: samples with targets, patients and splits, and what is wrong with it. */
import type { Samples } from "./samples.ts";
import type { Task } from "./task.ts";

export interface Sample {
  /** Path below the data set's root with "/", unique: the identity in manifests. */
  readonly key: string;
  readonly path: string;
  readonly split: string | null;
  /** One entry per class or finding; null is missing or uncertain (findings only). */
  readonly target: readonly (0 | 1 | null)[];
  /** "file:<key>" where the patient is unknown. */
  readonly patient: string;
  /** Further columns of a manifest. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface DatasetProblem {
  readonly code: string;
  /** The sample or file, or null where it concerns the whole data set. */
  readonly key: string | null;
  readonly message: string;
  readonly severity: "error" | "warning" | "note";
}

export type Layout = "split-folders" | "class-folders" | "manifest";

export interface Dataset {
  readonly root: string;
  readonly layout: Layout;
  readonly task: Task;
  /** In order of their keys. */
  readonly samples: Samples;
  readonly problems: readonly DatasetProblem[];
  /** The samples of that split, in order of their keys. */
  split(name: string): Samples;
}

/** What a layout's reader found, before it is checked; the samples in order of their keys. */
export type DatasetReading = Pick<Dataset, "root" | "layout" | "task" | "samples" | "problems">;

/** The class of a sample (the index of its 1); -1 where several findings may be present. */
export function classOf(sample: Sample, task: Task): number {
  return task.kind === "classes" ? sample.target.indexOf(1) : -1;
}

const NEGATIVE_NAMES = new Set(["normal", "negative", "no finding", "no_finding", "healthy", "0"]);

/** Whether a class of that name means that nothing was found. */
export function isNegativeName(name: string): boolean {
  return NEGATIVE_NAMES.has(name.trim().toLowerCase());
}

/** Classes in the order of probabilities: the negative one first, then by byte order. */
export function orderedClasses(names: Iterable<string>): string[] {
  const rank = (name: string) => (isNegativeName(name) ? 0 : 1);
  return [...new Set(names)].sort((a, b) => rank(a) - rank(b) || compareBytes(a, b));
}

/** Byte order of UTF-8, which is code point order. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // A surrogate stands for a code point above all that are written as one unit.
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;

/** The task of exclusive classes; with two, `positive` names the positive one (the second by default). */
export function classTask(classes: readonly string[], positive?: string): Task {
  if (classes.length !== 2) return { kind: "classes", classes, positive: null };
  const index = positive === undefined ? 1 : classes.indexOf(positive);
  return { kind: "classes", classes, positive: index };
}
