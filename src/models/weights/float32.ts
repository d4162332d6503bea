/** Floating-point numbers of other widths as float32. */
import { float32, type Tensor } from "../../onnx/index.ts";

const REAL = new Set(["float32", "float64", "float16", "bfloat16"]);

export function isReal({ type }: Tensor): boolean {
  return REAL.has(type);
}

/** The tensor's values as float32; the tensor itself where they are. */
export function asFloat32({ type, dims, data }: Tensor): Tensor {
  if (type === "float64") return float32(dims, Float32Array.from(data as Float64Array));
  if (type === "bfloat16")
    return float32(
      dims,
      fromBits(data as Uint16Array, (bits) => bits << 16),
    );
  if (type === "float16") return float32(dims, fromBits(data as Uint16Array, widenHalf));
  return { type, dims, data };
}

function fromBits(data: Uint16Array, widen: (bits: number) => number): Float32Array {
  return new Float32Array(Int32Array.from(data, widen).buffer);
}

/** The bits of a float32 of the same value. Source: IEEE 754-2008, section 3.6. */
function widenHalf(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal halves are normal there: the leading one moves to its place.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
