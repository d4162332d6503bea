/** The augmentation graph on small films, with rows of chosen numbers. */
import {
  AUGMENTATION_COLUMNS,
  COLUMNS,
  type Column,
} from "../../src/datasets/augmentation/draw.ts";
import { augmented } from "../../src/datasets/augmentation/graph.ts";
import type { Augmentation } from "../../src/datasets/augmentation/ranges.ts";
import { openSession } from "../../src/onnx/index.node.ts";
import { float32, type Graph, graphBuilder, type Value } from "../../src/onnx/index.ts";
import { randomStream } from "../../src/random.ts";

export type Row = Record<Column, number>;

/** Numbers that change nothing. */
export const NEUTRAL: Row = {
  ...{ xx: 1, xy: 0, x: 0, yx: 0, yy: 1, y: 0 },
  ...{ brightness: 0, contrast: 1, gamma: 1, blur: 0, noise: 0, noiseOffset: 0 },
  ...{ left: 2, right: 2, top: 2, bottom: 2, fill: 0, mixup: 1 },
  ...{ arch: 0, bend: 0, shadeX: 0, shadeY: 0, localContrast: 0, jpeg: 0, detail: 1 },
  ...{ frameLeft: 0, frameRight: 1, frameTop: 0, frameBottom: 1, frameFill: 0 },
  ...{ blankLeft: 2, blankRight: 2, blankTop: 2, blankBottom: 2, blankFill: 0 },
  ...{ glyph: 0, glyphXX: 10, glyphX: 0, glyphYY: 10, glyphY: 0, glyphFill: -1 },
};

/** A square film of chance, greys of 20 to 235. */
export function randomFilm(size: number, seed: number): Float32Array {
  const random = randomStream(seed, "film");
  return Float32Array.from({ length: size * size }, () => 20 + random.integer(216));
}

/** Every pixel from its row and column. */
export function pixelsOf(size: number, valueAt: (row: number, column: number) => number): number[] {
  return Array.from({ length: size * size }, (_, at) => valueAt(Math.floor(at / size), at % size));
}

export function augmentationGraph(
  ranges: Augmentation,
  count: number,
  size: number,
  end: (x: Value, rows: Value) => Value = (x) => x,
): Graph {
  const builder = graphBuilder();
  const images = builder.input("images", "float32", [count, 1, size, size]);
  const rows = builder.input("rows", "float32", [count, AUGMENTATION_COLUMNS]);
  builder.output(end(augmented({ images, rows, ranges }), rows), "out");
  return builder.build();
}

/** What becomes of each square film with its row, neutral but for what is named. */
export async function augmentedBy(
  ranges: Augmentation,
  films: readonly Float32Array[],
  changes: readonly Partial<Row>[],
  end?: (x: Value, rows: Value) => Value,
): Promise<number[][]> {
  const size = Math.sqrt(films[0]!.length);
  const values = changes.flatMap((change) =>
    COLUMNS.map((name) => ({ ...NEUTRAL, ...change })[name]),
  );
  const session = await openSession(augmentationGraph(ranges, films.length, size, end));
  const { out } = await session.run({
    images: float32(
      [films.length, 1, size, size],
      films.flatMap((pixels) => [...pixels]),
    ),
    rows: float32([films.length, AUGMENTATION_COLUMNS], values),
  });
  await session.close();
  const flat = Array.from(out!.data as Float32Array);
  return films.map((_, index) => flat.slice(index * size ** 2, (index + 1) * size ** 2));
}
