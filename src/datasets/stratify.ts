/**
 * Groups dealt to folds so that each fold gets its share of every label, rare labels first.
 * Source: Sechidis, Tsoumakas, Vlahavas 2011, "On the Stratification of Multi-Label Data", with
 * whole groups (a patient's films) in place of single examples.
 */
import { randomStream } from "../random.ts";
import { compareBytes } from "./dataset.ts";
import { groupBy } from "./group.ts";
import type { Samples } from "./samples.ts";
import { labelsOf, type Task } from "./task.ts";

export interface FoldShares {
  readonly seed: number;
  /** One for each fold; they sum to 1. */
  readonly shares: readonly number[];
}

interface Group {
  readonly name: string;
  readonly images: number;
  /** Images of each label; the last entry counts those with none. */
  readonly counts: readonly number[];
}

/** The fold of each group by its name. Depends on names, labels and seed, not on any order. */
export function assignFolds(
  samples: ReadonlyMap<string, Samples>,
  task: Task,
  { seed, shares }: FoldShares,
): Map<string, number> {
  const names = [...samples.keys()].sort(compareBytes);
  const groups = randomStream(seed, "split")
    .shuffled(names)
    .map((name) => described(name, samples.get(name)!, labelsOf(task).length));
  const totals = groups.reduce(
    (sums, { counts }) => sums.map((sum, label) => sum + counts[label]!),
    Array<number>(labelsOf(task).length + 1).fill(0),
  );
  const all = groups.reduce((sum, { images }) => sum + images, 0);
  const wanted = shares.map((share) => totals.map((total) => total * share));
  const room = shares.map((share) => all * share);
  const folds = new Map<string, number>();
  let left: readonly Group[] = groups;
  while (left.length > 0) {
    const label = rarest(left, totals.length);
    for (const group of left.filter(({ counts }) => counts[label]! > 0)) {
      const fold = neediest(wanted, label, room);
      folds.set(group.name, fold);
      room[fold]! -= group.images;
      wanted[fold] = wanted[fold]!.map((count, index) => count - group.counts[index]!);
    }
    left = left.filter(({ name }) => !folds.has(name));
  }
  fillEmpty(groups, folds, { labels: totals.length, foldCount: shares.length });
  return folds;
}

function described(name: string, samples: Samples, labels: number): Group {
  const counts = Array<number>(labels + 1).fill(0);
  for (const { target } of samples) {
    const found = target.flatMap((value, label) => (value === 1 ? [label] : []));
    for (const label of found.length > 0 ? found : [labels]) counts[label]!++;
  }
  return { name, images: samples.length, counts };
}

/** The label that the fewest of the groups have, of those that any has. */
function rarest(groups: readonly Group[], labels: number): number {
  const carriers = Array.from(
    { length: labels },
    (_, label) => groups.filter(({ counts }) => counts[label]! > 0).length || Infinity,
  );
  return carriers.indexOf(Math.min(...carriers));
}

/** The fold that still wants most images of the label, of equals the one with most room. */
function neediest(
  wanted: readonly (readonly number[])[],
  label: number,
  room: readonly number[],
): number {
  let best = 0;
  for (let fold = 1; fold < wanted.length; fold++) {
    const more = wanted[fold]![label]! - wanted[best]![label]!;
    if (more > 0 || (more === 0 && room[fold]! > room[best]!)) best = fold;
  }
  return best;
}

/** A fold's share of a rare label may be less than half a patient: it gets one where there are enough. */
function fillEmpty(
  groups: readonly Group[],
  folds: Map<string, number>,
  { labels, foldCount }: { readonly labels: number; readonly foldCount: number },
): void {
  for (let label = 0; label < labels; label++) {
    const carriers = groups.filter(({ counts }) => counts[label]! > 0);
    for (let fold = 0; fold < foldCount && carriers.length >= foldCount; fold++) {
      const byFold = groupBy(carriers, ({ name }) => String(folds.get(name)));
      if (byFold.has(String(fold))) continue;
      const donor = [...byFold.values()].reduce((a, b) => (b.length > a.length ? b : a));
      folds.set(smallest(donor).name, fold);
    }
  }
}

const smallest = (groups: readonly Group[]): Group =>
  groups.reduce((a, b) => (b.images < a.images ? b : a));
