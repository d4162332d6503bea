/** Random numbers in the graph: a counter hash, so that a seed and a position name each number. */
import { operators as op, type Tensor, type Value } from "../onnx/index.ts";

const MASK = 0xffffffffn;

/**
 * Uniform numbers in [0, 1) of the shape. `seed` is an int64 scalar below 2^32; `salt` keeps two
 * places in one graph apart. Runs in int64, the widest integer for which ONNX Runtime has all of
 * these operators. Source: the "lowbias32" mixer (Wellons, Hash Prospector, public domain).
 */
export function uniformNoise(seed: Value, salt: number, shape: readonly number[]): Value {
  const { builder } = seed;
  const size = shape.reduce((a, b) => a * b, 1);
  const scalar = (value: bigint) => builder.constant(int64Scalar(value));
  const mask = scalar(MASK);
  const ramp: Tensor = {
    type: "int64",
    dims: [size],
    data: BigInt64Array.from({ length: size }, (_, i) => (BigInt(i) * 0x9e3779b9n) & MASK),
  };
  const wrap = (value: Value) => op.bitwiseAnd(value, mask);
  const xorShift = (value: Value, bits: bigint) =>
    op.bitwiseXor(value, op.div(value, scalar(1n << bits)));
  // The seed is hashed on its own first; a plain sum would let two seeds share shifted sequences.
  const start = mixed(op.bitwiseXor(seed, scalar(BigInt(salt >>> 0))), wrap, xorShift, scalar);
  const bits = mixed(op.bitwiseXor(builder.constant(ramp), start), wrap, xorShift, scalar);
  const unit = op.mul(op.cast(op.div(bits, scalar(256n)), "float32"), builder.scalar(2 ** -24));
  return op.reshape(unit, shape);
}

function mixed(
  value: Value,
  wrap: (value: Value) => Value,
  xorShift: (value: Value, bits: bigint) => Value,
  scalar: (value: bigint) => Value,
): Value {
  const first = wrap(op.mul(xorShift(value, 16n), scalar(0x7feb352dn)));
  const second = wrap(op.mul(xorShift(first, 15n), scalar(0x846ca68bn)));
  return xorShift(second, 16n);
}

function int64Scalar(value: bigint): Tensor {
  return { type: "int64", dims: [], data: BigInt64Array.of(value) };
}
