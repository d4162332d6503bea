/** Folds that hold out whole values of a manifest's column: archives, scanners, clusters of images. */
import { HilumError, nearest } from "../errors.ts";
import { compareBytes, type DatasetProblem, type Sample } from "./dataset.ts";
import type { Groups } from "./group.ts";
import { numbered } from "./numbering.ts";
import { picked, type Samples } from "./samples.ts";
import { agreeing, counted } from "./wording.ts";

export interface ColumnFolds {
  /** The fold of each group, from 0. */
  readonly foldOf: Int32Array;
  /** Groups whose films have several values, if there are any. */
  readonly problems: readonly DatasetProblem[];
}

/**
 * Every value's groups together in one fold: a fold for each value where there are as many, else each
 * value, the largest first, in the fold with the fewest images. A group goes with most of its films.
 * Throws `invalid-option` where the column is not there or a film has no value in it, and
 * `split-impossible` where there are fewer values than folds.
 */
export function columnFolds(
  films: Samples,
  groups: Groups,
  { column, folds }: { readonly column: string; readonly folds: number },
): ColumnFolds {
  const places = filmsByGroup(groups);
  const ordered = picked(films, places);
  refuseMissing(ordered, column);
  const cellAt = (index: number) => cellOf(ordered.at(index)!, column);
  const { numbers, firsts } = numbered(ordered.length, cellAt);
  const { chosen, mixed } = valuesOf(groups, numbers, (value) => cellAt(firsts[value]!));
  const images = new Map<string, number>();
  for (const [group, value] of chosen.entries()) {
    const name = cellAt(firsts[value]!);
    images.set(name, (images.get(name) ?? 0) + groups.sizes[group]!);
  }
  if (images.size < folds)
    throw new HilumError(
      "split-impossible",
      `Column "${column}" keeps ${counted(images.size, "value")} apart, too few for ${folds} folds. Ask for ${images.size >= 2 ? `at most ${images.size}` : "another column"}.`,
      { column, values: images.size, folds },
    );
  const held = dealt(
    [...images.keys()].sort((a, b) => images.get(b)! - images.get(a)! || compareBytes(a, b)),
    (value) => images.get(value)!,
    folds,
  );
  const foldOf = chosen.map((value) => held.get(cellAt(firsts[value]!))!);
  return { foldOf, problems: mixedValues(mixed.map(groups.nameOf), column) };
}

/** The films' indices, group after group. */
function filmsByGroup({ of, sizes }: Groups): Uint32Array {
  const next = new Uint32Array(sizes.length);
  for (let group = 1; group < sizes.length; group++)
    next[group] = next[group - 1]! + sizes[group - 1]!;
  const places = new Uint32Array(of.length);
  for (const [index, group] of of.entries()) places[next[group]!++] = index;
  return places;
}

/** The value of most films of each group, and the groups that have several. */
function valuesOf(
  { count, sizes }: Groups,
  values: Int32Array,
  textOf: (value: number) => string,
): { readonly chosen: Int32Array; readonly mixed: readonly number[] } {
  const chosen = new Int32Array(count);
  const mixed: number[] = [];
  let start = 0;
  for (const [group, size] of sizes.entries()) {
    const films = new Map<number, number>();
    for (const value of values.subarray(start, start + size))
      films.set(value, (films.get(value) ?? 0) + 1);
    const [[most]] = [...films].sort(
      (a, b) => b[1] - a[1] || compareBytes(textOf(a[0]), textOf(b[0])),
    ) as [[number, number]];
    chosen[group] = most;
    if (films.size > 1) mixed.push(group);
    start += size;
  }
  return { chosen, mixed };
}

function mixedValues(patients: readonly string[], column: string): DatasetProblem[] {
  if (patients.length === 0) return [];
  const first = patients.reduce((a, b) => (compareBytes(b, a) < 0 ? b : a));
  return [
    {
      code: "fold-values-mixed",
      key: null,
      severity: "note",
      message: `${counted(patients.length, "patient")} ${agreeing(patients.length, "has", "have")} films of several values of "${column}" (first: ${first}); all films of a patient go where most of them belong.`,
    },
  ];
}

const cellOf = ({ columns }: Sample, column: string): string => (columns[column] ?? "").trim();

function refuseMissing(samples: Samples, column: string): void {
  const names = new Set<string>();
  samples.forEach(({ columns }) => {
    for (const name of Object.keys(columns)) names.add(name);
  });
  const known = [...names];
  const refuse = (problem: string): never => {
    throw new HilumError("invalid-option", `Option foldBy: ${problem}`, {
      option: "foldBy",
      value: column,
      allowed: known,
    });
  };
  if (!known.includes(column)) {
    const close = nearest(column, known);
    refuse(
      known.length === 0
        ? `the films have no columns to go by. Name a manifest that has "${column}" (hilum cluster writes one).`
        : `there is no column "${column}".${close ? ` Did you mean "${close}"?` : ""} There are: ${known.join(", ")}.`,
    );
  }
  const empty = samples.filter((sample) => cellOf(sample, column) === "");
  if (empty.length > 0)
    refuse(
      `column "${column}" is empty for ${counted(empty.length, "image")} (first: ${empty.at(0)!.key}). Fill it, or leave ${agreeing(empty.length, "it", "them")} out.`,
    );
}

/** The fold of each value; folds are numbered by the byte order of their first values. */
function dealt(
  values: readonly string[],
  imagesOf: (value: string) => number,
  folds: number,
): ReadonlyMap<string, number> {
  const parts = Array.from({ length: folds }, () => ({ images: 0, values: [] as string[] }));
  for (const value of values) {
    const part = parts.reduce((least, next) => (next.images < least.images ? next : least));
    part.images += imagesOf(value);
    part.values.push(value);
  }
  const first = (part: (typeof parts)[number]) => part.values.toSorted(compareBytes)[0]!;
  return new Map(
    parts
      .toSorted((a, b) => compareBytes(first(a), first(b)))
      .flatMap((part, fold) => part.values.map((value) => [value, fold] as const)),
  );
}
