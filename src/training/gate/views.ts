/** The views of an image that the gate learns from: as it is, varied, turned, and parts of it. */
import { type GateParts, gateFeatures, smallFilms } from "../../classifier/index.ts";
import {
  AUGMENTATION_COLUMNS,
  AUGMENTATIONS,
  type Augmentation,
  augmented,
  drawAugmentation,
} from "../../datasets/index.ts";
import { type GreyImage, normalizeImages, resizeImages } from "../../images/index.ts";
import { embedGraph } from "../../models/index.ts";
import { openSession } from "../../onnx/index.node.ts";
import { float32, graphBuilder, operators as op } from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";

/** Side of the squares that views are cut from. */
const SIDE = 160;
/** Views of one image at a time. */
const BATCH = 4;

export const VIEWS = ["plain", "varied", "turned", "part"] as const;
export type View = (typeof VIEWS)[number];

/** Wider than any training's, so that other scanners, ages and exposures stay chest films. */
const WIDE: Augmentation = {
  ...AUGMENTATIONS.none,
  rotation: 10,
  scale: 0.3,
  shear: 0.08,
  shift: 0.08,
  flip: 0.5,
  brightness: 0.2,
  contrast: 0.5,
  gamma: 0.7,
  erase: 0.3,
};
const NARROW: Augmentation = {
  ...WIDE,
  rotation: 5,
  scale: 0.1,
  shift: 0.04,
  brightness: 0.08,
  contrast: 0.2,
  gamma: 0.25,
  erase: 0.1,
};
/** Share of a film's side that is left of it in a part. */
const PART = { least: 0.2, most: 0.45 } as const;

/** An image as the gate's features: its own and its negative's. */
export interface ViewFeatures {
  readonly film: Float32Array;
  readonly negative: Float32Array;
  /** The view itself, square. */
  readonly pixels: Uint8Array;
}

export interface ViewReader {
  /** Features of the views of one image; `key` seeds what is random. */
  read(
    image: Pick<GreyImage, "width" | "height" | "pixels">,
    views: readonly View[],
    key: string,
  ): Promise<ViewFeatures[]>;
  close(): Promise<void>;
  readonly side: number;
}

export async function openViews(
  backbone: GateParts["backbone"],
  seed: number,
): Promise<ViewReader> {
  const squash = graphBuilder();
  const whole = squash.input("images", "uint8", ["N", "H", "W"]);
  squash.output(op.cast(resizeImages(whole, { size: SIDE, fit: "squash" }), "uint8"), "square");
  const builder = graphBuilder();
  const square = builder.input("square", "uint8", [BATCH, SIDE, SIDE]);
  const rows = builder.input("rows", "float32", [BATCH, AUGMENTATION_COLUMNS]);
  const images = op.cast(op.unsqueeze(square, [1]), "float32");
  const view = op.round(augmented({ images, rows, ranges: WIDE }));
  const normal = normalizeImages(smallFilms(view), "standardize");
  const maps = embedGraph(builder, backbone, { x: op.concat([normal, op.neg(normal)], 0) });
  builder.output(gateFeatures(Object.values(maps)), "features");
  builder.output(op.cast(view, "uint8"), "view");
  const [squashing, looking] = [
    await openSession(squash.build()),
    await openSession(builder.build()),
  ];
  return {
    side: SIDE,
    async read({ width, height, pixels }, views, key) {
      const { square: made } = await squashing.run({
        images: { type: "uint8", dims: [1, height, width], data: pixels },
      });
      const [squares, numbers] = [
        new Uint8Array(BATCH * SIDE * SIDE),
        new Float32Array(BATCH * AUGMENTATION_COLUMNS),
      ];
      views.forEach((name, index) => {
        squares.set(made!.data as Uint8Array, index * SIDE * SIDE);
        numbers.set(rowOf(name, [seed, key, index]), index * AUGMENTATION_COLUMNS);
      });
      for (let index = views.length; index < BATCH; index++)
        numbers.set(rowOf("plain", [0]), index * AUGMENTATION_COLUMNS);
      const result = await looking.run({
        square: { type: "uint8", dims: [BATCH, SIDE, SIDE], data: squares },
        rows: float32([BATCH, AUGMENTATION_COLUMNS], numbers),
      });
      const features = result.features!.data as Float32Array;
      const shown = result.view!.data as Uint8Array;
      const width2 = features.length / (2 * BATCH);
      const row = (index: number) => features.slice(index * width2, (index + 1) * width2);
      return views.map((_, index) => ({
        film: row(index),
        negative: row(BATCH + index),
        pixels: shown.slice(index * SIDE * SIDE, (index + 1) * SIDE * SIDE),
      }));
    },
    async close() {
      await squashing.close();
      await looking.close();
    },
  };
}

/** The row of numbers of a view: what is drawn, after a turn or a cut of the film. */
function rowOf(view: View, path: readonly (number | string)[]): Float32Array {
  const random = randomStream(...path, "view");
  const row = new Float32Array(AUGMENTATION_COLUMNS);
  const ranges = view === "plain" ? AUGMENTATIONS.none : view === "varied" ? WIDE : NARROW;
  drawAugmentation(ranges, [random.integer(2 ** 31)], row);
  if (view === "turned") {
    const [cos, sin] = [
      [0, 1],
      [-1, 0],
      [0, -1],
    ][random.integer(3)] as [number, number];
    row.set(composed([cos, -sin, 0, sin, cos, 0], row));
  }
  if (view === "part") {
    const [wide, high] = [
      random.between(PART.least, PART.most),
      random.between(PART.least, PART.most),
    ];
    const at = (share: number) => random.between(share - 1, 1 - share);
    row.set(composed([wide, 0, at(wide), 0, high, at(high)], row));
  }
  return row;
}

/** The map of `inner`, then that of `outer`: from places in the view to places in the film. */
function composed(outer: readonly number[], inner: ArrayLike<number>): number[] {
  const [a, b, c, d, e, f] = outer as [number, number, number, number, number, number];
  const [p, q, r, s, t, u] = Array.from(inner).slice(0, 6) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return [
    a * p + b * s,
    a * q + b * t,
    a * r + b * u + c,
    d * p + e * s,
    d * q + e * t,
    d * r + e * u + f,
  ];
}
