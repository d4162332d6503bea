import { describe, expect, it } from "vitest";
import { float32 } from "../../onnx/index.ts";
import { asFloat16 } from "./float16.ts";
import { asFloat32 } from "./float32.ts";

const bitsOf = (...values: number[]) =>
  Array.from(asFloat16(float32([values.length], values)).data as Uint16Array);

/** Every half float but the infinities and what is no number, as float32. */
const HALVES = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
  (bits) => (bits & 0x7c00) !== 0x7c00,
);

describe("asFloat16", () => {
  it("gives each half float its own bits back, subnormal ones and both zeros too", () => {
    const wide = asFloat32({ type: "float16", dims: [HALVES.length], data: HALVES });
    expect(asFloat16(wide).data).toEqual(HALVES);
  });

  it("rounds to the nearest, ties to even, over the edges of exponents too", () => {
    const step = 2 ** -10;
    expect(bitsOf(1 + step / 2, 1 + 1.5 * step, 1 + 0.51 * step)).toEqual([0x3c00, 0x3c02, 0x3c01]);
    expect(bitsOf(2 - step / 4, 65519, -65519)).toEqual([0x4000, 0x7bff, 0xfbff]);
    // Half the smallest subnormal is a tie with zero; anything above it is not.
    expect(bitsOf(2 ** -25, 1.01 * 2 ** -25, 2 ** -26, 1.5 * 2 ** -24)).toEqual([0, 1, 0, 2]);
    expect(bitsOf(2 ** -14 - 2 ** -26)).toEqual([0x0400]);
  });
});
