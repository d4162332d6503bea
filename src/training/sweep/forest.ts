/**
 * A random forest of regression trees over a box: each dimension is an interval or a few categories.
 * Source: Breiman 2001, "Random Forests", with all dimensions at every split and leaves of one value,
 * as scikit-learn's RandomForestRegressor has it.
 */
import { type RandomStream, randomStream } from "../../random.ts";

/** One of so many categories, 0 to `categories` - 1; null is any number from 0 to 1. */
export interface Axis {
  readonly categories: number | null;
}

export interface Leaf {
  readonly value: number;
}

/** Below are numbers up to the threshold, or the one category. */
export interface Split {
  readonly axis: number;
  readonly at: number;
  readonly below: Tree;
  readonly above: Tree;
}

export type Tree = Leaf | Split;

export interface Observed {
  /** A place on each axis. */
  readonly point: readonly number[];
  readonly value: number;
}

/** Trees, each grown on as many observations as there are, drawn with replacement. */
export function growForest(
  axes: readonly Axis[],
  observed: readonly Observed[],
  { trees, seed }: { readonly trees: number; readonly seed: number },
): Tree[] {
  return Array.from({ length: trees }, (_, number) => {
    const random = randomStream(seed, "forest", number);
    const drawn = observed.map(() => observed[random.integer(observed.length)]!);
    return grow(axes, drawn, random);
  });
}

/** Whether a point goes below. */
export const isBelow = ({ categories }: Axis, place: number, at: number): boolean =>
  categories === null ? place <= at : place === at;

/** The mean over the trees. */
export function forestValue(
  axes: readonly Axis[],
  forest: readonly Tree[],
  point: readonly number[],
): number {
  const valueIn = (tree: Tree): number => {
    if ("value" in tree) return tree.value;
    const { axis, at, below, above } = tree;
    return valueIn(isBelow(axes[axis]!, point[axis]!, at) ? below : above);
  };
  return forest.reduce((sum, tree) => sum + valueIn(tree), 0) / forest.length;
}

function grow(axes: readonly Axis[], observed: readonly Observed[], random: RandomStream): Tree {
  const value = observed.reduce((sum, one) => sum + one.value, 0) / observed.length;
  const split = bestSplit(axes, observed, random);
  if (!split) return { value };
  const { axis, at } = split;
  const parts: [Observed[], Observed[]] = [[], []];
  for (const one of observed) parts[isBelow(axes[axis]!, one.point[axis]!, at) ? 0 : 1].push(one);
  return { axis, at, below: grow(axes, parts[0], random), above: grow(axes, parts[1], random) };
}

interface Cut {
  readonly axis: number;
  readonly at: number;
  /** Sums of squared sums over counts: the larger, the less variance is left. */
  readonly score: number;
}

/** The split that leaves the least variance; undefined where nothing varies. Equal ones in any order. */
function bestSplit(
  axes: readonly Axis[],
  observed: readonly Observed[],
  random: RandomStream,
): Cut | undefined {
  if (observed.every(({ value }) => value === observed[0]!.value)) return undefined;
  const total = observed.reduce((sum, { value }) => sum + value, 0);
  const scoreOf = (count: number, sum: number) =>
    sum ** 2 / count + (total - sum) ** 2 / (observed.length - count);
  let best: Cut | undefined;
  for (const axis of random.shuffled(axes.map((_, index) => index))) {
    const groups = groupsBy(observed, axis);
    if (groups.length < 2) continue;
    const isNumber = axes[axis]!.categories === null;
    let [count, sum] = [0, 0];
    for (const [rank, group] of groups.entries()) {
      count = group.count + (isNumber ? count : 0);
      sum = group.sum + (isNumber ? sum : 0);
      const next = groups[rank + 1];
      if (isNumber && !next) break;
      const score = scoreOf(count, sum);
      const at = isNumber ? (group.place + next!.place) / 2 : group.place;
      if (!best || score > best.score) best = { axis, at, score };
    }
  }
  return best;
}

/** Counts and sums of values by place, places ascending. */
function groupsBy(observed: readonly Observed[], axis: number) {
  const groups = new Map<number, { place: number; count: number; sum: number }>();
  for (const { point, value } of observed) {
    const place = point[axis]!;
    const group = groups.get(place);
    if (group) {
      group.count++;
      group.sum += value;
    } else groups.set(place, { place, count: 1, sum: value });
  }
  return [...groups.values()].sort((a, b) => a.place - b.place);
}
