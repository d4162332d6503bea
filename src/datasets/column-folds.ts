/** Folds that hold out whole values of a manifest's column: archives, scanners, clusters of images. */
import { HilumError, nearest } from "../errors.ts";
import { compareBytes, type DatasetProblem, type Sample } from "./dataset.ts";
import { groupBy } from "./group.ts";
import type { Samples } from "./samples.ts";
import { agreeing, counted } from "./wording.ts";

export interface ColumnFolds {
  /** The fold of each group by its name, from 0. */
  readonly foldOf: ReadonlyMap<string, number>;
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
  groups: ReadonlyMap<string, Samples>,
  { column, folds }: { readonly column: string; readonly folds: number },
): ColumnFolds {
  const samples = [...groups.values()].flatMap((films) => [...films]);
  refuseMissing(samples, column);
  const names = [...groups.keys()].sort(compareBytes);
  const valueByGroup = new Map(
    names.map((name) => [name, mostFrequent(groups.get(name)!, column)]),
  );
  const byValue = groupBy(names, (name) => valueByGroup.get(name)!);
  const imagesOf = (value: string) =>
    byValue.get(value)!.reduce((sum, name) => sum + groups.get(name)!.length, 0);
  if (byValue.size < folds)
    throw new HilumError(
      "split-impossible",
      `Column "${column}" keeps ${counted(byValue.size, "value")} apart, too few for ${folds} folds. Ask for ${byValue.size >= 2 ? `at most ${byValue.size}` : "another column"}.`,
      { column, values: byValue.size, folds },
    );
  const held = dealt(
    [...byValue.keys()].sort((a, b) => imagesOf(b) - imagesOf(a) || compareBytes(a, b)),
    imagesOf,
    folds,
  );
  const mixed = names.filter(
    (name) => new Set(groups.get(name)!.map((sample) => cellOf(sample, column))).size > 1,
  );
  return {
    foldOf: new Map(names.map((name) => [name, held.get(valueByGroup.get(name)!)!])),
    problems:
      mixed.length === 0
        ? []
        : [
            {
              code: "fold-values-mixed",
              key: null,
              severity: "note",
              message: `${counted(mixed.length, "patient")} ${agreeing(mixed.length, "has", "have")} films of several values of "${column}" (first: ${mixed[0]}); all films of a patient go where most of them belong.`,
            },
          ],
  };
}

const cellOf = ({ columns }: Sample, column: string): string => (columns[column] ?? "").trim();

function refuseMissing(samples: Samples, column: string): void {
  const known = [...new Set(samples.flatMap(({ columns }) => Object.keys(columns)))];
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

function mostFrequent(samples: Samples, column: string): string {
  const counts = groupBy(samples, (sample) => cellOf(sample, column));
  return [...counts].reduce((best, next) =>
    next[1].length > best[1].length ||
    (next[1].length === best[1].length && compareBytes(next[0], best[0]) < 0)
      ? next
      : best,
  )[0];
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
