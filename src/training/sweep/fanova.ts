/**
 * How much of a function's variance each dimension explains alone. Source: Hutter, Hoos and
 * Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance" (fANOVA): a
 * tree is constant on boxes, so that its mean over all other dimensions can be summed exactly.
 */
import { type Axis, growForest, type Observed, type Tree } from "./forest.ts";

/** As many as in Optuna's FanovaImportanceEvaluator. */
const TREES = 64;

/** Where a leaf lies on an axis: an interval, or categories. */
interface Extent {
  readonly low: number;
  readonly high: number;
  /** Of categories: which; else empty. */
  readonly members: readonly number[];
  /** Share of the axis. */
  readonly share: number;
}

interface Box {
  readonly extents: readonly Extent[];
  readonly volume: number;
  readonly value: number;
}

/** For each axis the share of the variance, the mean over the trees; 0 where nothing varies. */
export function fanova(
  axes: readonly Axis[],
  observed: readonly Observed[],
  seed: number,
): number[] {
  const shares = growForest(axes, observed, { trees: TREES, seed })
    .map((tree) => sharesOf(axes, boxesOf(axes, tree)))
    .filter((shares) => shares !== undefined);
  return axes.map((_, axis) =>
    shares.length === 0 ? 0 : shares.reduce((sum, own) => sum + own[axis]!, 0) / shares.length,
  );
}

function boxesOf(axes: readonly Axis[], tree: Tree): Box[] {
  const whole = axes.map(
    ({ categories }): Extent => ({
      low: 0,
      high: 1,
      members: Array.from({ length: categories ?? 0 }, (_, category) => category),
      share: 1,
    }),
  );
  const walk = (node: Tree, extents: readonly Extent[]): Box[] => {
    if ("value" in node) {
      const volume = extents.reduce((product, { share }) => product * share, 1);
      return [{ extents, volume, value: node.value }];
    }
    const { axis, at, below, above } = node;
    const [first, second] = halves(axes[axis]!, extents[axis]!, at);
    return [...walk(below, extents.with(axis, first)), ...walk(above, extents.with(axis, second))];
  };
  return walk(tree, whole);
}

function halves({ categories }: Axis, extent: Extent, at: number): [Extent, Extent] {
  if (categories === null) {
    const { low, high } = extent;
    return [
      { ...extent, high: at, share: at - low },
      { ...extent, low: at, share: high - at },
    ];
  }
  const others = extent.members.filter((member) => member !== at);
  return [
    { ...extent, members: [at], share: 1 / categories },
    { ...extent, members: others, share: others.length / categories },
  ];
}

/** Undefined of a tree that is one leaf. */
function sharesOf(axes: readonly Axis[], boxes: readonly Box[]): number[] | undefined {
  const mean = boxes.reduce((sum, { volume, value }) => sum + volume * value, 0);
  const total = boxes.reduce((sum, { volume, value }) => sum + volume * (value - mean) ** 2, 0);
  if (total === 0) return undefined;
  return axes.map(({ categories }, axis) => {
    const parts =
      categories === null ? intervals(boxes, axis) : categoriesOf(boxes, axis, categories);
    const variance = parts.reduce((sum, { share, value }) => sum + share * (value - mean) ** 2, 0);
    return variance / total;
  });
}

/** A part of an axis, and the tree's mean there over all other axes. */
interface Part {
  readonly share: number;
  readonly value: number;
}

function categoriesOf(boxes: readonly Box[], axis: number, categories: number): Part[] {
  const values = new Array<number>(categories).fill(0);
  for (const { extents, volume, value } of boxes) {
    const { members, share } = extents[axis]!;
    for (const member of members) values[member]! += (value * volume) / share;
  }
  return values.map((value) => ({ share: 1 / categories, value }));
}

function intervals(boxes: readonly Box[], axis: number): Part[] {
  const cuts = [...new Set(boxes.flatMap(({ extents }) => extents[axis]!.low))].sort(
    (a, b) => a - b,
  );
  const rankOf = new Map([...cuts, 1].map((cut, rank) => [cut, rank]));
  // What changes at each cut: a sum over them is the value between two.
  const changes = new Array<number>(cuts.length + 1).fill(0);
  for (const { extents, volume, value } of boxes) {
    const { low, high, share } = extents[axis]!;
    const here = (value * volume) / share;
    changes[rankOf.get(low)!]! += here;
    changes[rankOf.get(high)!]! -= here;
  }
  let value = 0;
  return cuts.map((cut, rank) => {
    value += changes[rank]!;
    return { share: (cuts[rank + 1] ?? 1) - cut, value };
  });
}
