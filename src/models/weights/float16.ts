/** float32 as half floats, rounded to the nearest, ties to even. */
import type { Tensor } from "../../onnx/index.ts";

/** The largest finite half float. Source: IEEE 754-2008, table 3.5. */
export const LARGEST_HALF = 65504;

/** The tensor in half precision: 11 bits of a value, which has to lie within -65504 to 65504. */
export function asFloat16({ dims, data }: Tensor): Tensor {
  const bits = new Uint32Array(Float32Array.from(data as Float32Array).buffer);
  return { type: "float16", dims, data: Uint16Array.from(bits, narrow) };
}

/** The bits of the nearest half float. Source: IEEE 754-2008, sections 3.6 and 4.3.1. */
function narrow(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  // A carry out of the fraction raises the exponent, as it should.
  if (exponent > 0) return sign | rounded((exponent << 23) | fraction, 13);
  if (exponent < -10) return sign;
  return sign | rounded(fraction | 0x800000, 14 - exponent);
}

/** Shifted right by `by` bits, to the nearest, ties to even. */
function rounded(value: number, by: number): number {
  const half = 2 ** (by - 1);
  const rest = value & (2 * half - 1);
  const kept = value >>> by;
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
