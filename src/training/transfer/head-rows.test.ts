import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import type { Features } from "./features.ts";
import { drawKept } from "./head-batches.ts";
import { rowsOf, scaleOf } from "./head-rows.ts";

const [COUNT, WIDTH, PASSES] = [40, 6, 2];
const random = randomStream("head rows");
const values = Float32Array.from({ length: COUNT * WIDTH * PASSES }, () => 3 + 2 * random.normal());
const features: Features = {
  count: COUNT,
  width: WIDTH,
  passes: PASSES,
  readInto(index, pass, out) {
    const from = (pass * COUNT + index) * WIDTH;
    out.set(values.subarray(from, from + WIDTH));
  },
  close: () => undefined,
};
const scale = scaleOf(features);

const rowIn = (rows: ReturnType<typeof rowsOf>, index: number, pass: number) => {
  const at = new Int32Array(2);
  // Another film comes first.
  const wanted = Uint32Array.of((index + 1) % COUNT, index);
  const matrix = rows.gathered(wanted, Uint16Array.of(0, pass), at);
  return matrix.slice(at[1]! * WIDTH, (at[1]! + 1) * WIDTH);
};

describe("rows of features", () => {
  it("are the same from memory and from the disk", () => {
    const room = { bytes: 1e6 };
    const kept = rowsOf(features, room, scale);
    const read = rowsOf(features, { bytes: kept.bytes - 1 }, scale);
    expect([kept.bytes, read.bytes]).toEqual([4 * COUNT * WIDTH * PASSES, 0]);
    expect(room.bytes).toBe(1e6 - kept.bytes);
    for (let pass = 0; pass < PASSES; pass++)
      for (let index = 0; index < COUNT; index++)
        expect(rowIn(kept, index, pass)).toEqual(rowIn(read, index, pass));
    expect(kept.block(3, 4)).toEqual(read.block(3, 4));
    expect(kept.block(3, 1)).toEqual(rowIn(kept, 3, 0));
  });

  it("are of mean 0 and deviation 1 over the plain pass, and else as they were", () => {
    const rows = rowsOf(features, { bytes: 0 }, scale);
    for (let column = 0; column < WIDTH; column++) {
      const own = Array.from({ length: COUNT }, (_, index) => rowIn(rows, index, 0)[column]!);
      const mean = own.reduce((a, b) => a + b, 0) / COUNT;
      const square = own.reduce((a, b) => a + b * b, 0) / COUNT;
      expect(mean).toBeCloseTo(0, 6);
      expect(square).toBeCloseTo(1, 5);
    }
    const plain = rowsOf(features, { bytes: 0 });
    expect(rowIn(plain, 2, 1)).toEqual(values.slice((COUNT + 2) * WIDTH, (COUNT + 3) * WIDTH));
  });
});

it("dropout keeps the share asked for, scaled so that the mean stays 1", () => {
  const noise = new Float32Array(100_000);
  drawKept(noise, 0.3, 5);
  expect(new Set(noise)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
  const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
  // Four deviations of the mean.
  expect(Math.abs(mean - 1)).toBeLessThan((4 * Math.sqrt(0.3 / 0.7)) / Math.sqrt(noise.length));
});
