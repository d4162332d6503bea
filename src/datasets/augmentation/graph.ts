/** Augmentation as part of the training graph: the arithmetic on rows of drawn numbers. */
import { float32, operators as op, type Value } from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { compressed } from "./compression.ts";
import { framed, marked, type Sides, within } from "./covers.ts";
import { COLUMNS } from "./draw.ts";
import type { Augmentation } from "./ranges.ts";
import { column } from "./row.ts";
import { NOISE_TABLE } from "./tables.ts";
import { bent, enhanced, shaded } from "./tone.ts";

const ERASED: Sides = { left: "left", right: "right", top: "top", bottom: "bottom" };

export interface AugmentationOperands {
  /** `[N, 1, S, S]`, 0 to 255. */
  readonly images: Value;
  /** `[N, AUGMENTATION_COLUMNS]`. */
  readonly rows: Value;
  readonly ranges: Augmentation;
}

/** The augmented images, `[N, 1, S, S]`, 0 to 255, without mixup (see `mixed`). */
export function augmented({ images, rows, ranges }: AugmentationOperands): Value {
  const { builder } = images;
  let x = hasGeometry(ranges) ? warped(images, rows) : images;
  if (!hasIntensity(ranges)) return x;
  x = op.mul(x, builder.scalar(1 / 255));
  if (ranges.gamma > 0)
    x = op.exp(op.mul(op.log(op.max(x, builder.scalar(1e-3))), column(rows, "gamma")));
  if (ranges.curve > 0) x = bent(x, rows);
  if (ranges.contrast > 0 || ranges.brightness > 0) {
    const middle = builder.scalar(0.5);
    const shift = op.add(column(rows, "brightness"), middle);
    x = op.add(op.mul(op.sub(x, middle), column(rows, "contrast")), shift);
  }
  if (ranges.shading > 0) x = shaded(x, rows);
  if (ranges.localContrast > 0) x = enhanced(x, rows);
  if (ranges.marks > 0) x = marked(x, rows);
  if (ranges.blur > 0) x = op.add(x, op.mul(op.sub(smoothed(x), x), column(rows, "blur")));
  if (ranges.noise > 0) x = op.add(x, op.mul(noiseLike(x, rows), column(rows, "noise")));
  if (ranges.jpeg > 0 || ranges.resolution > 0) x = compressed(op.clip(x, 0, 1), rows);
  x = op.clip(x, 0, 1);
  if (ranges.erase > 0) x = op.where(within(x, rows, ERASED), column(rows, "fill"), x);
  if (ranges.frame > 0) x = framed(x, rows);
  return op.mul(x, builder.scalar(255));
}

/** Each sample blended with its neighbour in the batch: `share x + (1 - share) neighbour`. */
export function mixed(x: Value, rows: Value): Value {
  const share = op.reshape(
    op.slice(rows, [
      { axis: 1, start: COLUMNS.indexOf("mixup"), end: COLUMNS.indexOf("mixup") + 1 },
    ]),
    [-1, ...x.shape.slice(1).map(() => 1)],
  );
  const batch = Number(x.shape[0]);
  const neighbour = op.concat(
    [
      op.slice(x, [{ axis: 0, start: 1, end: batch }]),
      op.slice(x, [{ axis: 0, start: 0, end: 1 }]),
    ],
    0,
  );
  return op.add(neighbour, op.mul(op.sub(x, neighbour), share));
}

const GEOMETRY = ["rotation", "scale", "shear", "shift", "crop", "flip"] as const;

const hasGeometry = (ranges: Augmentation): boolean => GEOMETRY.some((part) => ranges[part] > 0);
const hasIntensity = (ranges: Augmentation): boolean =>
  Object.entries(ranges).some(
    ([part, amount]) =>
      amount > 0 && part !== "mixup" && !(GEOMETRY as readonly string[]).includes(part),
  );

function warped(images: Value, rows: Value): Value {
  const theta = op.reshape(op.slice(rows, [{ axis: 1, start: 0, end: 6 }]), [-1, 2, 3]);
  const grid = op.affineGrid(theta, images.shape.map(Number));
  return op.gridSample(images, grid, { mode: "linear", padding: "zeros" });
}

/** A 5x5 Gaussian with a standard deviation of one pixel. */
function smoothed(x: Value): Value {
  const taps = [-2, -1, 0, 1, 2].map((offset) => Math.exp(-(offset ** 2) / 2));
  const total = taps.reduce((a, b) => a + b, 0) ** 2;
  const kernel = taps.flatMap((a) => taps.map((b) => (a * b) / total));
  const weight = x.builder.constant(float32([1, 1, 5, 5], kernel));
  return op.conv(op.pad(x, [0, 0, 2, 2, 0, 0, 2, 2], { mode: "edge" }), weight);
}

/** Standard normal numbers from a table, read from a place of each sample's own: a gather is cheaper than a hash. */
function noiseLike(x: Value, rows: Value): Value {
  const { builder } = x;
  const positions = Number(x.shape[2]) * Number(x.shape[3]);
  const random = randomStream(0, "noise-table");
  const length = NOISE_TABLE + positions;
  const table = builder.constant(
    float32(
      [length],
      Float32Array.from({ length }, () => random.normal()),
    ),
  );
  const ramp = builder.constant({
    type: "int64",
    dims: [1, positions],
    data: BigInt64Array.from({ length: positions }, (_, index) => BigInt(index)),
  });
  const offset = op.reshape(op.cast(column(rows, "noiseOffset"), "int64"), [-1, 1]);
  return op.reshape(op.gather(table, op.add(offset, ramp)), x.shape.map(Number));
}
