import { describe, expect, it } from "vitest";
import { openSession, type Session } from "../onnx/index.node.ts";
import { graphBuilder, type Tensor } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { type ResizeSetting, resizeImages } from "./resize.ts";

async function resizer(setting: ResizeSetting): Promise<Session> {
  const builder = graphBuilder();
  const films = builder.input("images", "uint8", ["N", "H", "W"]);
  builder.output(resizeImages(films, setting), "resized");
  return openSession(builder.build(), { threads: 1 });
}

async function resize(setting: ResizeSetting, dims: number[], values: Uint8Array) {
  const session = await resizer(setting);
  const images: Tensor = { type: "uint8", dims, data: values };
  const { resized } = await session.run({ images });
  await session.close();
  return resized!;
}

const noise = (count: number) => {
  const random = randomStream(5, "films");
  return Uint8Array.from({ length: count }, () => random.integer(256));
};

/**
 * One axis of antialiased linear resizing, in double precision: a triangle as wide as the step
 * around each target's centre; what it would take from beyond the edge, it takes from the edge.
 */
function weightsOf(from: number, to: number): number[][] {
  const step = Math.max(1, from / to);
  return Array.from({ length: to }, (_, target) => {
    const centre = ((target + 0.5) * from) / to;
    const row = new Array<number>(from).fill(0);
    for (let pixel = -from; pixel < 2 * from; pixel++)
      row[Math.min(from - 1, Math.max(0, pixel))]! += Math.max(
        0,
        1 - Math.abs(pixel + 0.5 - centre) / step,
      );
    const sum = row.reduce((a, b) => a + b);
    return row.map((weight) => weight / sum);
  });
}

function reference(values: Uint8Array, height: number, width: number, size: number): number[] {
  const across = weightsOf(width, size);
  const down = weightsOf(height, size);
  return down.flatMap((rows) =>
    across.map((columns) =>
      rows.reduce(
        (sum, row, y) =>
          row === 0
            ? sum
            : sum + row * columns.reduce((s, c, x) => s + c * values[y * width + x]!, 0),
        0,
      ),
    ),
  );
}

/** Half a step of rounding, and what single precision adds to it. */
const ROUNDING = 0.501;

describe("resizeImages", () => {
  it.each([
    [40, 30, 16],
    [9, 57, 16],
    [16, 16, 16],
    [7, 5, 16],
    [33, 8, 20],
  ])(
    "squashes %d x %d to a square of %d as the formula says, to whole numbers",
    async (height, width, size) => {
      const values = noise(height * width);
      const found = await resize({ size, fit: "squash" }, [1, height, width], values);
      expect(found.dims).toEqual([1, 1, size, size]);
      const expected = reference(values, height, width, size);
      const data = Array.from(found.data as Float32Array);
      const worst = Math.max(...data.map((value, i) => Math.abs(value - expected[i]!)));
      expect(worst).toBeLessThanOrEqual(ROUNDING);
      expect(data.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(
        true,
      );
    },
  );

  it.each([
    [6, 3, 1, 2],
    [3, 8, 2, 3],
    [5, 5, 0, 0],
  ])(
    "pads %d x %d with black around the centre before it resizes",
    async (height, width, before, after) => {
      const side = Math.max(height, width);
      const values = noise(height * width);
      const square = new Uint8Array(side * side);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const row = height < width ? y + before : y;
          const column = width < height ? x + before : x;
          square[row * side + column] = values[y * width + x]!;
        }
      expect(Math.abs(height - width)).toBe(before + after);
      const padded = await resize({ size: 12, fit: "pad" }, [1, height, width], values);
      const squashed = await resize({ size: 12, fit: "squash" }, [1, side, side], square);
      expect(padded.data).toEqual(squashed.data);
    },
  );

  it("gives a film the same pixels alone and in a batch, in both fits", async () => {
    const films = noise(3 * 20 * 28);
    for (const fit of ["squash", "pad"] as const) {
      const batch = await resize({ size: 10, fit }, [3, 20, 28], films);
      for (let n = 0; n < 3; n++) {
        const alone = await resize(
          { size: 10, fit },
          [1, 20, 28],
          films.subarray(n * 560, (n + 1) * 560),
        );
        expect(alone.data).toEqual((batch.data as Float32Array).slice(n * 100, (n + 1) * 100));
      }
    }
  });

  it("leaves films of the wanted size as they are", async () => {
    const values = noise(24 * 24);
    for (const fit of ["squash", "pad"] as const) {
      const found = await resize({ size: 24, fit }, [1, 24, 24], values);
      expect(Array.from(found.data as Float32Array)).toEqual(Array.from(values));
    }
  });
});
