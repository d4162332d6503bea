import { describe, expect, it } from "vitest";
import { openSession } from "../onnx/index.node.ts";
import { graphBuilder } from "../onnx/index.ts";
import { uniformNoise } from "./noise.ts";

async function noise(seed: number, salt: number, shape: readonly number[]): Promise<Float32Array> {
  const builder = graphBuilder();
  const value = uniformNoise(builder.input("seed", "int64", []), salt, shape);
  expect(value.shape).toEqual(shape);
  builder.output(value, "noise");
  const session = await openSession(builder.build(), { threads: 1 });
  const feeds = {
    seed: { type: "int64" as const, dims: [], data: BigInt64Array.of(BigInt(seed)) },
  };
  const { noise: result } = await session.run(feeds);
  await session.close();
  return result!.data as Float32Array;
}

/** The lowbias32 mixer in 32-bit arithmetic. */
function mixed(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

function correlation(a: Float32Array, b: Float32Array): number {
  const centred = (values: Float32Array) => values.map((value) => value - 0.5);
  const [x, y] = [centred(a), centred(b)];
  const dot = (p: Float32Array, q: Float32Array) =>
    p.reduce((sum, value, i) => sum + value * q[i]!, 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

describe("uniformNoise", () => {
  it.each([
    [0, 0],
    [7, 3],
    [4294967295, 12],
    [2147483648, 4000000000],
  ])("equals the mixer in 32-bit arithmetic for seed %d and salt %d", async (seed, salt) => {
    const start = mixed((seed ^ salt) >>> 0);
    const expected = Float32Array.from(
      { length: 500 },
      (_, i) => (mixed((Math.imul(i, 0x9e3779b9) ^ start) >>> 0) >>> 8) / 2 ** 24,
    );
    expect(await noise(seed, salt, [500])).toEqual(expected);
  });

  it("is uniform in [0, 1)", async () => {
    const values = await noise(1, 2, [4, 50, 100]);
    const bins = new Array<number>(10).fill(0);
    for (const value of values) bins[Math.floor(value * 10)]!++;
    // 2000 are expected in each; 5 standard deviations of a binomial count are 212.
    for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(212);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it("is unrelated for neighbouring seeds, salts and positions", async () => {
    const [base, otherSeed, otherSalt] = await Promise.all([
      noise(5, 9, [20000]),
      noise(6, 9, [20000]),
      noise(5, 10, [20000]),
    ]);
    // 5 standard deviations of the correlation of 20000 pairs.
    const limit = 5 / Math.sqrt(20000);
    expect(Math.abs(correlation(base, otherSeed))).toBeLessThan(limit);
    expect(Math.abs(correlation(base, otherSalt))).toBeLessThan(limit);
    expect(Math.abs(correlation(base.subarray(1), base.subarray(0, -1)))).toBeLessThan(limit);
  });
});
