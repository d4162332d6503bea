/** The numbers of make.py: weights, images and targets from a hash of a name and a position. */
import { float32, sizeOf, type Tensor } from "../../../src/onnx/index.ts";

export const BATCH = 8;
export const SIZE = 16;

/** FNV-1a of the name, then the lowbias32 mixer. */
export function hashes(name: string, count: number): Uint32Array {
  let start = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) start = Math.imul(start ^ byte, 0x01000193);
  const found = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + start) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    found[i] = x ^ (x >>> 16);
  }
  return found;
}

/** Uniform in offset +- scale. */
export function values(name: string, dims: readonly number[], scale = 1, offset = 0): Tensor {
  const drawn = hashes(name, sizeOf(dims));
  const found = new Float32Array(drawn.length);
  for (let i = 0; i < found.length; i++) found[i] = offset + scale * (drawn[i]! / 2 ** 31 - 1);
  return float32(dims, found);
}

export function labels(step: number, classes: number): number[] {
  return Array.from(hashes(`class:${step}`, BATCH), (hash) => hash % classes);
}

/** Noise and the pattern of the image's class. */
export function images(step: number, classes: number): Tensor {
  const noise = values(`noise:${step}`, [BATCH, 1, SIZE, SIZE]);
  const pixels = SIZE * SIZE;
  const patterns = labels(step, classes).map((k) => values(`pattern:${k}`, [1, SIZE, SIZE], 0.5));
  const pictures = Array.from(
    noise.data as Float32Array,
    (value, i) => value + Number(patterns[Math.floor(i / pixels)]!.data[i % pixels]),
  );
  return float32(noise.dims, pictures);
}

/** Targets and weights: the class as bits, every seventh label masked, class weights 1 and 2. */
export function binaryTargets(step: number, outputs: number): { targets: Tensor; weights: Tensor } {
  const bits = labels(step, 2 ** outputs).flatMap((k) =>
    Array.from({ length: outputs }, (_, bit) => (k >> bit) & 1),
  );
  const masks = hashes(`mask:${step}`, BATCH * outputs);
  const weights = bits.map((bit, i) => (masks[i]! % 7 === 0 ? 0 : 1 + bit));
  return { targets: float32([BATCH, outputs], bits), weights: float32([BATCH, outputs], weights) };
}

/** One-hot targets, all weights 1. */
export function classTargets(step: number, classes: number): { targets: Tensor; weights: Tensor } {
  const rows = labels(step, classes).flatMap((k) =>
    Array.from({ length: classes }, (_, other) => Number(k === other)),
  );
  const ones = rows.map(() => 1);
  return { targets: float32([BATCH, classes], rows), weights: float32([BATCH, classes], ones) };
}
