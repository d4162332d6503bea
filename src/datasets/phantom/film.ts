/** From attenuation to a film: exposure, grain, and a brightness that tells nothing about the chest. */
import type { RandomStream } from "../../random.ts";

/**
 * 8-bit pixels of a film drawn from the stream. Contrast and mean brightness are targets that the
 * stream sets; the response curve is solved for them, so neither depends on what was added to the
 * chest.
 */
export function expose(attenuation: Float32Array, width: number, random: RandomStream): Uint8Array {
  const values = attenuation;
  const height = values.length / width;
  const grain = random.between(0.005, 0.014);
  shade(values, width, height, random);
  for (let i = 0; i < values.length; i++) values[i]! += grain * roughNormal(random);
  normalise(values);
  const contrast = random.between(0.19, 0.24);
  const mean = random.between(0.42, 0.55);
  const pixels = new Uint8Array(values.length);
  const [slope, offset] = solveResponse(values, mean, contrast);
  for (let i = 0; i < values.length; i++)
    pixels[i] = Math.round(255 * response(slope * values[i]! + offset));
  return pixels;
}

/** Uneven exposure: a plane and a bowl, of random direction. */
function shade(values: Float32Array, width: number, height: number, random: RandomStream): void {
  const across = random.between(-0.1, 0.1);
  const down = random.between(-0.1, 0.1);
  const bowl = random.between(-0.08, 0.08);
  for (let y = 0, i = 0; y < height; y++) {
    const v = (2 * y) / height - 1;
    for (let x = 0; x < width; x++, i++) {
      const u = (2 * x) / width - 1;
      values[i]! += across * u + down * v + bowl * (u * u + v * v);
    }
  }
}

/** Mean 0 and standard deviation 1, in place. */
function normalise(values: Float32Array): void {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i]!;
    squares += values[i]! ** 2;
  }
  const mean = sum / values.length;
  const deviation = Math.sqrt(Math.max(1e-12, squares / values.length - mean * mean));
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) / deviation;
}

/** An S-shaped response, as film and display curves have; a root is ten times faster than tanh. */
const response = (value: number): number => 0.5 + (0.5 * value) / Math.sqrt(1 + value * value);

/**
 * Slope and offset for which the developed film has that mean and standard deviation, by a damped
 * fixed-point iteration over a sample of the pixels.
 */
function solveResponse(values: Float32Array, mean: number, deviation: number): [number, number] {
  let slope = 0.5;
  let offset = 0;
  for (let round = 0; round < 10; round++) {
    let sum = 0;
    let squares = 0;
    let count = 0;
    for (let i = round % 11; i < values.length; i += 11) {
      const value = response(slope * values[i]! + offset);
      sum += value;
      squares += value * value;
      count++;
    }
    const found = sum / count;
    const spread = Math.sqrt(Math.max(1e-9, squares / count - found * found));
    offset += 2 * (mean - found);
    slope *= (deviation / spread) ** 0.8;
  }
  return [slope, offset];
}

/** Nearly normal and four times faster than the exact one; only film grain is made of it. */
function roughNormal(random: RandomStream): number {
  return (random.uniform() + random.uniform() - 1) * 2.45;
}
