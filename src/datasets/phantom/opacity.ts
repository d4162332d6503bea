/**
 * What pneumonia adds to a film: a table of kinds, each a function that draws one case and returns
 * its attenuation at a place in the body. Their texture tells them, not their brightness: film.ts
 * takes any difference in overall brightness away again.
 */
import type { RandomStream } from "../../random.ts";
import type { Anatomy } from "./anatomy.ts";
import { ramp, texture } from "./texture.ts";

/** Attenuation added at a place; `lung` is 0..1 there, and nothing is added outside the lungs. */
export type Opacity = (x: number, y: number, lung: number) => number;

export type OpacityKind = keyof typeof OPACITY_KINDS;

export const OPACITY_KINDS = {
  /** One lobe filled up to a fissure, with air-filled bronchi dark within it. */
  lobar: drawLobar,
  /** Small fluffy patches, on one side or both (bronchopneumonia). */
  patchy: drawPatchy,
  /** A fine net over both lungs, densest around the hila. */
  interstitial: drawInterstitial,
} as const satisfies Record<string, (random: RandomStream, chest: Anatomy) => Opacity>;

/** Wide fields of fluff share one grain, in body units: about six pixels of a 160-pixel film. */
const GRAIN = 0.07;

function drawLobar(random: RandomStream, { chestWidth }: Anatomy): Opacity {
  const side = random.chance(0.6) ? -1 : 1;
  const isUpper = random.chance(0.4);
  const fissure = random.between(-0.25, 0.1);
  const tilt = random.between(-0.25, 0.45);
  const centreX = side * chestWidth * random.between(0.45, 0.65);
  const centreY = fissure + (isUpper ? -1 : 1) * random.between(0.16, 0.3);
  const radius = random.between(0.34, 0.5);
  const strength = random.between(0.3, 0.46);
  const cloud = texture(random);
  const grain = texture(random);
  return (x, y, lung) => {
    if (x * side < 0) return 0;
    const beyond = (y - fissure - tilt * (side * x - 0.4)) * (isUpper ? -1 : 1);
    if (beyond < -0.02) return 0;
    const distance = Math.hypot(x - centreX, y - centreY) + 0.12 * cloud(x * 4, y * 4);
    const lobe = ramp(radius, radius * 0.55, distance) * ramp(-0.015, 0.02, beyond);
    if (lobe === 0) return 0;
    const fluff = 0.9 + 0.4 * grain(x / GRAIN, y / GRAIN);
    return strength * lung * lobe * Math.max(0, fluff);
  };
}

function drawPatchy(random: RandomStream, { chestWidth, apex }: Anatomy): Opacity {
  const isOneSided = random.chance(0.4);
  const only = random.chance(0.5) ? -1 : 1;
  const patches = Array.from({ length: 8 + random.integer(8) }, () => ({
    x: (isOneSided ? only : random.chance(0.5) ? -1 : 1) * chestWidth * random.between(0.25, 0.85),
    y: random.between(apex + 0.3, 0.5),
    radius: random.between(0.1, 0.2),
    strength: random.between(0.28, 0.44),
  }));
  const cloud = texture(random);
  const grain = texture(random);
  return (x, y, lung) => {
    let sum = 0;
    for (const { x: px, y: py, radius, strength } of patches) {
      const dx = x - px;
      const dy = y - py;
      if (dx * dx + dy * dy > 4 * radius * radius) continue;
      const distance = Math.sqrt(dx * dx + dy * dy) + 0.05 * cloud(x * 9, y * 9);
      sum = Math.max(sum, strength * ramp(radius, 0, distance));
    }
    return sum === 0 ? 0 : sum * lung * Math.max(0, 0.95 + 0.45 * grain(x / GRAIN, y / GRAIN));
  };
}

function drawInterstitial(random: RandomStream): Opacity {
  const strength = random.between(0.2, 0.34);
  const reach = random.between(0.55, 0.85);
  const scale = random.between(0.9, 1.3) * GRAIN;
  const first = texture(random);
  const second = texture(random);
  const cloud = texture(random);
  return (x, y, lung) => {
    const hilum = Math.hypot(Math.abs(x) - 0.3, (y - 0.05) * 0.8);
    const weight = ramp(reach, reach * 0.2, hilum + 0.15 * cloud(x * 3, y * 3));
    if (weight === 0) return 0;
    // Zero crossings of noise are thin closed lines: a net, over a haze.
    const net = first(x / scale, y / scale) + second(x / (0.7 * scale), y / (0.7 * scale));
    return strength * lung * weight * (0.2 + Math.max(0, 1 - 2.4 * Math.abs(net)));
  };
}
