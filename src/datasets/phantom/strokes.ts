/** Lines over a film: the vessels of the lungs, and wires lying on the child. */
import type { RandomStream } from "../../random.ts";
import type { Anatomy } from "./anatomy.ts";
import type { Pose } from "./pose.ts";

/** Attenuation in film pixels, row-major. */
export interface Layer {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Adds a soft dot; where dots overlap the denser one counts. */
function dot(layer: Layer, column: number, row: number, radius: number, density: number): void {
  const reach = radius * 2;
  const left = Math.max(0, Math.ceil(column - reach));
  const right = Math.min(layer.width - 1, Math.floor(column + reach));
  const bottom = Math.min(layer.height - 1, Math.floor(row + reach));
  for (let y = Math.max(0, Math.ceil(row - reach)); y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const distance = ((x - column) ** 2 + (y - row) ** 2) / (radius * radius);
      const value = density * Math.exp(-distance);
      const place = y * layer.width + x;
      if (value > layer.values[place]!) layer.values[place] = value;
    }
}

/** Vessels branch from both hila, thinner and fainter the farther out. */
export function drawVessels(layer: Layer, random: RandomStream, chest: Anatomy, pose: Pose): void {
  const strength = random.between(0.05, 0.11);
  for (const side of [-1, 1])
    for (let k = 0; k < 11; k++) {
      const angle = ((k + random.uniform()) / 11 - 0.5) * 2.9;
      branch(layer, random, pose, {
        x: side * (chest.mediastinum * 0.9 + 0.06),
        y: 0.02 + random.between(-0.1, 0.14),
        angle: side > 0 ? angle : Math.PI - angle,
        radius: random.between(0.014, 0.026),
        length: random.between(0.2, 0.42),
        density: strength,
        generation: 0,
      });
    }
}

interface Branch {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly radius: number;
  readonly length: number;
  readonly density: number;
  readonly generation: number;
}

function branch(layer: Layer, random: RandomStream, pose: Pose, start: Branch): void {
  let { x, y, angle } = start;
  const step = 0.9 / pose.scale;
  const bend = random.between(-0.9, 0.9);
  for (let done = 0; done < start.length; done += step) {
    const [column, row] = pose.toFilm(x, y);
    const thin = 1 - (0.4 * done) / start.length;
    dot(layer, column, row, Math.max(0.7, start.radius * thin * pose.scale), start.density * thin);
    angle += bend * step;
    x += Math.cos(angle) * step;
    y += Math.sin(angle) * step;
  }
  if (start.generation === 2) return;
  for (const turn of [-1, 1])
    branch(layer, random, pose, {
      x,
      y,
      angle: angle + turn * random.between(0.2, 0.65),
      radius: start.radius * 0.68,
      length: start.length * random.between(0.5, 0.8),
      density: start.density * 0.72,
      generation: start.generation + 1,
    });
}

/** A monitoring wire from an electrode on the chest to the edge of the film. */
export function drawWire(layer: Layer, random: RandomStream, pose: Pose): void {
  let [column, row] = pose.toFilm(random.between(-0.7, 0.7), random.between(-0.6, 0.7));
  const density = random.between(0.15, 0.35);
  dot(layer, column, row, 0.03 * pose.scale, density);
  let angle = random.between(0, 2 * Math.PI);
  let bend = random.between(-1.2, 1.2) / pose.scale;
  while (column > -2 && row > -2 && column < layer.width + 2 && row < layer.height + 2) {
    dot(layer, column, row, 0.8, density);
    angle += bend;
    bend *= 0.985;
    column += Math.cos(angle) * 0.8;
    row += Math.sin(angle) * 0.8;
  }
}
