/**
 * Groups dealt to folds so that each fold gets its share of every label, rare labels first.
 * Source: Sechidis, Tsoumakas, Vlahavas 2011, "On the Stratification of Multi-Label Data", with
 * whole groups (a patient's films) in place of single examples.
 */
import { randomStream } from "../random.ts";
import type { Groups } from "./group.ts";
import { numbersBelow } from "./numbering.ts";
import type { Samples } from "./samples.ts";
import { labelsOf, type Task } from "./task.ts";
import { sortedByText } from "./text-order.ts";

export interface FoldShares {
  readonly seed: number;
  /** One for each fold; they sum to 1. */
  readonly shares: readonly number[];
}

/** What the folds are dealt by. */
interface Deck {
  /** The groups in the order in which they are dealt. */
  readonly order: Uint32Array;
  /** Images of each group. */
  readonly sizes: Uint32Array;
  /** Labels, and the last column for images with none. */
  readonly width: number;
  /** `[groups, width]`: images of each label. */
  readonly counts: Counts;
}

type Counts = Uint8Array | Uint16Array | Uint32Array;

const NO_FOLD = -1;

/** The fold of each group of the films. Depends on names, labels and seed, not on any order. */
export function assignFolds(
  films: Samples,
  groups: Groups,
  { task, seed, shares }: FoldShares & { readonly task: Task },
): Int32Array {
  const width = labelsOf(task).length + 1;
  const { sizes } = groups;
  const counts = labelCounts(films, groups, width);
  const byName = sortedByText(numbersBelow(groups.count), groups.nameOf);
  const order = randomStream(seed, "split").shuffle(byName);
  const deck = { order, sizes, width, counts };
  const foldOf = new Int32Array(groups.count).fill(NO_FOLD);
  const totals = Array.from({ length: width }, (_, label) =>
    order.reduce((sum, group) => sum + counts[group * width + label]!, 0),
  );
  const wanted = shares.map((share) => totals.map((total) => total * share));
  const room = shares.map((share) => films.length * share);
  for (let label = rarest(deck, foldOf); label >= 0; label = rarest(deck, foldOf))
    for (const group of order) {
      if (foldOf[group] !== NO_FOLD || counts[group * width + label] === 0) continue;
      const fold = neediest(wanted, label, room);
      foldOf[group] = fold;
      room[fold]! -= sizes[group]!;
      for (let own = 0; own < width; own++) wanted[fold]![own]! -= counts[group * width + own]!;
    }
  fillEmpty(deck, foldOf, shares.length);
  return foldOf;
}

function labelCounts(films: Samples, { count, of, sizes }: Groups, width: number): Counts {
  const counts = countsUpTo(
    sizes.reduce((a, b) => Math.max(a, b), 0),
    count * width,
  );
  films.forEach(({ target }, index) => {
    const row = of[index]! * width;
    if (!target.includes(1)) counts[row + width - 1]!++;
    else
      for (let label = 0; label < width - 1; label++)
        if (target[label] === 1) counts[row + label]!++;
  });
  return counts;
}

/** The narrowest that holds the largest: a hundred thousand patients have 15 findings each. */
function countsUpTo(largest: number, length: number): Counts {
  if (largest < 2 ** 8) return new Uint8Array(length);
  return largest < 2 ** 16 ? new Uint16Array(length) : new Uint32Array(length);
}

/** The label that the fewest of the groups without a fold have; -1 where all have one. */
function rarest({ order, width, counts }: Deck, foldOf: Int32Array): number {
  const carriers = new Uint32Array(width);
  for (const group of order)
    if (foldOf[group] === NO_FOLD)
      for (let label = 0; label < width; label++)
        if (counts[group * width + label]! > 0) carriers[label]!++;
  return carriers.reduce(
    (best, count, label) => (count > 0 && (best < 0 || count < carriers[best]!) ? label : best),
    -1,
  );
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
function fillEmpty(deck: Deck, foldOf: Int32Array, folds: number): void {
  for (let label = 0; label < deck.width; label++)
    for (let fold = 0; fold < folds; fold++) {
      const { carriers, donor } = holdersOf(deck, foldOf, { label, folds });
      if (carriers.reduce((a, b) => a + b, 0) < folds) break;
      if (carriers[fold] === 0) foldOf[smallestIn(deck, foldOf, { label, fold: donor })] = fold;
    }
}

/** Groups with the label in each fold, and the fold with the most; of equals the one dealt first. */
function holdersOf(
  { order, width, counts }: Deck,
  foldOf: Int32Array,
  { label, folds }: { readonly label: number; readonly folds: number },
): { readonly carriers: Uint32Array; readonly donor: number } {
  const carriers = new Uint32Array(folds);
  const dealt: number[] = [];
  for (const group of order) {
    if (counts[group * width + label] === 0) continue;
    const fold = foldOf[group]!;
    if (carriers[fold]!++ === 0) dealt.push(fold);
  }
  return {
    carriers,
    donor: dealt.reduce((a, b) => (carriers[b]! > carriers[a]! ? b : a), dealt[0] ?? 0),
  };
}

function smallestIn(
  { order, sizes, width, counts }: Deck,
  foldOf: Int32Array,
  { label, fold }: { readonly label: number; readonly fold: number },
): number {
  return order.reduce(
    (best, group) =>
      foldOf[group] === fold &&
      counts[group * width + label]! > 0 &&
      (best < 0 || sizes[group]! < sizes[best]!)
        ? group
        : best,
    -1,
  );
}
