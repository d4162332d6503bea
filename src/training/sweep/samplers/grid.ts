/** Every combination once, in a shuffled order, so that a part of the grid is a fair sample of it. */
import { HilumError } from "../../../errors.ts";
import { randomStream } from "../../../random.ts";
import {
  type Choice,
  type Dimension,
  drawingRange,
  isActive,
  type Params,
  type Space,
  valueAt,
} from "../space.ts";

/** Values of a number without a step. */
const LEVELS = 3;
const MOST_POINTS = 100_000;

/** The grid in order: the last dimension changes fastest; inactive dimensions do not multiply. */
export function gridPoints({ dimensions }: Space): Params[] {
  let points: Params[] = [{}];
  for (const dimension of dimensions) {
    const levels = levelsOf(dimension);
    points = points.flatMap((point) =>
      isActive(dimension, point)
        ? levels.map((value) => ({ ...point, [dimension.name]: value }))
        : [point],
    );
    if (points.length > MOST_POINTS)
      throw new HilumError(
        "space-invalid",
        `The grid has more than ${MOST_POINTS} points. Leave out dimensions, give larger steps, or use another sampler.`,
        { dimension: dimension.name },
      );
  }
  return points;
}

/** The trial's point of the shuffled grid; undefined where it is at its end. */
export function gridParams(space: Space, seed: number, number: number): Params | undefined {
  return randomStream(seed, "sweep", "grid").shuffled(gridPoints(space))[number];
}

function levelsOf(dimension: Dimension): readonly Choice[] {
  if (dimension.kind === "choice") return dimension.choices;
  const { low, high, step, isLog } = dimension;
  if (step !== null && !isLog) {
    const count = Math.round((high - low) / step) + 1;
    return Array.from({ length: count }, (_, index) => valueAt(dimension, low + index * step));
  }
  const [from, to] = drawingRange(dimension);
  const levels = Array.from({ length: LEVELS }, (_, index) =>
    valueAt(dimension, from + ((to - from) * index) / (LEVELS - 1)),
  );
  return [...new Set(levels)];
}
