/** Rows of features as a head reads them: in memory where there is room, else from the disk each time. */
import type { Features } from "./features.ts";

export interface Rows {
  readonly count: number;
  readonly width: number;
  /** Of memory. */
  readonly bytes: number;
  /** Copies the row of the film at `index` in a pass to `out`. */
  readInto(index: number, pass: number, out: Float32Array): void;
  /** So many rows of the plain pass from `start` on, not to be written to. */
  block(start: number, count: number): Float32Array;
}

/** Bytes that are left for rows, shared by all who read them. */
export interface Room {
  bytes: number;
}

/** By column of the features: what makes them of mean 0 and deviation 1 over the training films. */
export interface Scale {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** The rows of all passes, or none of them, taken into memory. With a scale they are standardised. */
export function rowsOf(features: Features, room: Room, scale?: Scale): Rows {
  const { count, width, passes } = features;
  const readInto: Rows["readInto"] = (index, pass, out) => {
    features.readInto(index, pass, out);
    if (scale) standardize(out.subarray(0, width), scale);
  };
  const bytes = 4 * count * width * passes;
  if (bytes > room.bytes)
    return { count, width, bytes: 0, readInto, block: blockBy(readInto, width) };
  room.bytes -= bytes;
  const matrices = Array.from({ length: passes }, (_, pass) => {
    const matrix = new Float32Array(count * width);
    for (let index = 0; index < count; index++)
      readInto(index, pass, matrix.subarray(index * width, (index + 1) * width));
    return matrix;
  });
  return {
    count,
    width,
    bytes,
    readInto: (index, pass, out) =>
      out.set(matrices[pass]!.subarray(index * width, (index + 1) * width)),
    block: (start, length) => matrices[0]!.subarray(start * width, (start + length) * width),
  };
}

const blockBy =
  (readInto: Rows["readInto"], width: number): Rows["block"] =>
  (start, count) => {
    const block = new Float32Array(count * width);
    for (let place = 0; place < count; place++)
      readInto(start + place, 0, block.subarray(place * width, (place + 1) * width));
    return block;
  };

function standardize(row: Float32Array, { mean, deviation }: Scale): void {
  for (let column = 0; column < row.length; column++)
    row[column] = (row[column]! - mean[column]!) / deviation[column]!;
}

/** The scale of the plain pass. */
export function scaleOf({ count, width, readInto }: Features): Scale {
  const [sum, squares] = [new Float64Array(width), new Float64Array(width)];
  const row = new Float32Array(width);
  for (let index = 0; index < count; index++) {
    readInto(index, 0, row);
    for (let column = 0; column < width; column++) {
      const value = row[column]!;
      sum[column]! += value;
      squares[column]! += value * value;
    }
  }
  const mean = Float32Array.from(sum, (value) => value / count);
  const deviation = Float32Array.from(squares, (value, column) =>
    Math.sqrt(Math.max(0, value / count - (sum[column]! / count) ** 2)),
  );
  // A feature that hardly ever differs would weigh any film in which it does too much.
  const least = 0.01 * deviation.reduce((a, b) => Math.max(a, b), 0) || 1;
  return { mean, deviation: deviation.map((value) => Math.max(value, least)) };
}
