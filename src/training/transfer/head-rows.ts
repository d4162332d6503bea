/** Rows of features as a head reads them: in memory where there is room, else from the disk each time. */
import type { Features } from "./features.ts";

export interface Rows {
  readonly count: number;
  readonly width: number;
  /** Of memory. */
  readonly bytes: number;
  /**
   * A matrix that holds the row of each film of `indices` in its pass, and in `at` where it does. It is
   * not to be written to, and may change with the next call.
   */
  gathered(indices: Uint32Array, passes: Uint16Array, at: Int32Array): Float32Array;
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
  const copy: Copy = (index, pass, out) => {
    features.readInto(index, pass, out);
    if (scale) standardize(out, scale);
  };
  const bytes = 4 * count * width * passes;
  if (bytes > room.bytes) return { count, width, bytes: 0, ...rowsByCopy(copy, width) };
  room.bytes -= bytes;
  const matrix = new Float32Array(count * width * passes);
  for (let row = 0; row < count * passes; row++)
    copy(row % count, Math.floor(row / count), matrix.subarray(row * width, (row + 1) * width));
  return {
    count,
    width,
    bytes,
    gathered(indices, of, at) {
      for (const [place, index] of indices.entries()) at[place] = of[place]! * count + index;
      return matrix;
    },
    block: (start, length) => matrix.subarray(start * width, (start + length) * width),
  };
}

type Copy = (index: number, pass: number, out: Float32Array) => void;

function rowsByCopy(copy: Copy, width: number): Pick<Rows, "gathered" | "block"> {
  let held = new Float32Array(0);
  const rowOf = (matrix: Float32Array, row: number) =>
    matrix.subarray(row * width, (row + 1) * width);
  return {
    gathered(indices, passes, at) {
      const size = indices.length * width;
      if (held.length < size) held = new Float32Array(size);
      for (const [place, index] of indices.entries()) {
        copy(index, passes[place]!, rowOf(held, place));
        at[place] = place;
      }
      return held;
    },
    block(start, count) {
      const block = new Float32Array(count * width);
      for (let place = 0; place < count; place++) copy(start + place, 0, rowOf(block, place));
      return block;
    },
  };
}

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
