/** Smooth noise: random values on a lattice, blended between its points. */
import type { RandomStream } from "../../random.ts";

/** A field over the plane with values around 0, mostly within -1..1, and features one unit wide. */
export type Texture = (x: number, y: number) => number;

const LATTICE = 32;

/** Source: Perlin, *Improving Noise* (2002), its blending curve over plain lattice values. */
export function texture(random: RandomStream): Texture {
  // Turned by any angle, or rows and columns of the lattice would show in every film alike.
  const turn = random.between(0, 2 * Math.PI);
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const values = Float32Array.from({ length: LATTICE * LATTICE }, () => random.between(-1, 1));
  return (bodyX, bodyY) => {
    const x = cos * bodyX - sin * bodyY;
    const y = sin * bodyX + cos * bodyY;
    const column = Math.floor(x);
    const row = Math.floor(y);
    const across = blend(x - column);
    const down = blend(y - row);
    const left = column & (LATTICE - 1);
    const right = (column + 1) & (LATTICE - 1);
    const top = (row & (LATTICE - 1)) * LATTICE;
    const bottom = ((row + 1) & (LATTICE - 1)) * LATTICE;
    const upper = values[top + left]! * (1 - across) + values[top + right]! * across;
    const lower = values[bottom + left]! * (1 - across) + values[bottom + right]! * across;
    return upper * (1 - down) + lower * down;
  };
}

const blend = (t: number): number => t * t * t * (t * (t * 6 - 15) + 10);

/** 0 below `low`, 1 above `high`, smooth between. */
export function ramp(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
