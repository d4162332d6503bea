/** JPEG inside the graph: cosine transform of blocks, its coefficients rounded, and back. */
import { float32, operators as op, type Value } from "../../onnx/index.ts";
import { column } from "./row.ts";

const BLOCK = 8;

/** Source: ITU-T T.81 (JPEG), table K.1: luminance, quality 50. */
const STEPS = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
].flat();

/** Greys of 0 to 1 with the loss of compression and of resolution; a block is 8 by 8 pixels. */
export function compressed(x: Value, rows: Value): Value {
  const { builder } = x;
  const size = Number(x.shape[2]);
  const missing = (BLOCK - (size % BLOCK)) % BLOCK;
  const whole =
    missing === 0 ? x : op.pad(x, [0, 0, 0, 0, 0, 0, missing, missing], { mode: "edge" });
  const basis = builder.constant(float32([BLOCK ** 2, 1, BLOCK, BLOCK], cosineBasis()));
  const coefficients = op.conv(whole, basis, undefined, { strides: [BLOCK, BLOCK] });
  // A thousandth of the table, a tenth of a grey level at most, is lossless; zero would divide by it.
  const table = builder.constant(
    float32(
      [1, BLOCK ** 2, 1, 1],
      STEPS.map((step) => step / 255),
    ),
  );
  const step = op.mul(table, op.max(column(rows, "jpeg"), builder.scalar(1e-3)));
  const rounded = op.mul(op.round(op.div(coefficients, step)), step);
  const frequency = builder.constant(float32([1, BLOCK ** 2, 1, 1], frequencies()));
  const kept = op.cast(op.lessOrEqual(frequency, column(rows, "detail")), "float32");
  const back = op.convTranspose(op.mul(rounded, kept), basis, undefined, {
    strides: [BLOCK, BLOCK],
  });
  if (missing === 0) return back;
  return op.slice(back, [
    { axis: 2, start: 0, end: size },
    { axis: 3, start: 0, end: size },
  ]);
}

/** `[64, 8, 8]`: each basis picture of the orthonormal cosine transform, as T.81 (A.3.3) defines it. */
function cosineBasis(): number[] {
  const wave = (k: number, at: number) =>
    Math.sqrt((k === 0 ? 1 : 2) / BLOCK) * Math.cos(((2 * at + 1) * k * Math.PI) / (2 * BLOCK));
  const places = Array.from({ length: BLOCK }, (_, place) => place);
  return places.flatMap((v) =>
    places.flatMap((u) => places.flatMap((y) => places.map((x) => wave(v, y) * wave(u, x)))),
  );
}

/** Of each coefficient, the higher of its two frequencies as a share of the highest. */
function frequencies(): number[] {
  return Array.from(
    { length: BLOCK ** 2 },
    (_, place) => Math.max(place % BLOCK, Math.floor(place / BLOCK)) / (BLOCK - 1),
  );
}
