/**
 * The chest of one synthetic child: where its organs lie and how much they attenuate. Coordinates
 * are the body's: x to the right of the film (the patient's left), y downwards, the chest about
 * -1..1 both ways. What differs between two films of one child (pose, breath, exposure) is in
 * pose.ts and film.ts.
 */
import type { RandomStream } from "../../random.ts";
import { ramp } from "./texture.ts";

export interface Anatomy {
  readonly chestWidth: number;
  readonly apex: number;
  readonly heart: {
    readonly x: number;
    readonly y: number;
    readonly rx: number;
    readonly ry: number;
  };
  readonly mediastinum: number;
  readonly spineBend: number;
  readonly ribs: {
    readonly first: number;
    readonly spacing: number;
    readonly hump: number;
    readonly drop: number;
    readonly width: number;
    readonly density: number;
    readonly shifts: readonly number[];
  };
  readonly clavicles: { readonly y: number; readonly slope: number; readonly density: number };
  readonly fat: number;
}

/** A child drawn from the stream. */
export function drawAnatomy(random: RandomStream): Anatomy {
  return {
    chestWidth: random.between(0.76, 0.9),
    apex: random.between(-0.9, -0.78),
    heart: {
      x: random.between(0.06, 0.17),
      y: random.between(0.2, 0.36),
      rx: random.between(0.3, 0.42),
      ry: random.between(0.27, 0.36),
    },
    mediastinum: random.between(0.11, 0.21),
    spineBend: random.between(-0.05, 0.05),
    ribs: {
      first: random.between(-0.86, -0.76),
      spacing: random.between(0.145, 0.185),
      hump: random.between(0.05, 0.14),
      drop: random.between(0.5, 1.1),
      width: random.between(0.024, 0.036),
      density: random.between(0.07, 0.14),
      shifts: Array.from({ length: 40 }, () => random.between(-0.018, 0.018)),
    },
    clavicles: {
      y: random.between(-0.8, -0.68),
      slope: random.between(0.08, 0.34),
      density: random.between(0.12, 0.24),
    },
    fat: random.between(0.85, 1.15),
  };
}

/** Half the width of neck, shoulders and trunk at a height. */
export function trunkHalfWidth({ chestWidth, fat }: Anatomy, y: number): number {
  const shoulders = ramp(-1.2, -0.86, y);
  const trunk = chestWidth + 0.13 * fat + 0.16 * ramp(-0.35, -0.8, y) + 0.06 * ramp(0.2, 1, y);
  return 0.32 + (trunk - 0.32) * shoulders;
}

/** 1 within the lung of a side (-1 the film's left), 0 outside, and soft at its border. */
export function lungAt(anatomy: Anatomy, side: number, x: number, y: number, base: number): number {
  const { apex, chestWidth, mediastinum } = anatomy;
  const across = side * x;
  const depth = (y - apex) / (base - apex);
  if (depth < 0 || depth > 1.6 || across < 0.05 || across > chestWidth) return 0;
  const taper = Math.min(1, depth);
  const lateral = chestWidth * (0.34 + 0.66 * Math.sqrt(taper * (2 - taper))) - across;
  const medial = across - (0.07 + mediastinum * (0.45 + 0.55 * ramp(0.1, 0.5, depth)));
  const middle = (across - 0.45 * chestWidth) / (0.55 * chestWidth);
  const floor = base + middle * middle * (0.2 + 0.16 * Math.max(0, middle)) - y;
  const bend = (across - 0.34 * chestWidth) / (0.4 * chestWidth);
  const top = (y - apex - 0.2 * bend * bend) * 0.8;
  return ramp(-0.02, 0.04, Math.min(lateral, medial, floor, top));
}

/** 1 within heart and great vessels, soft at their border. */
export function heartAt({ heart, mediastinum }: Anatomy, x: number, y: number): number {
  if (x < -0.5 || x > 0.7 || y > 0.9) return 0;
  const dx = (x - heart.x) / heart.rx;
  const dy = (y - heart.y) / heart.ry;
  const slant = dx + 0.3 * dy;
  const chambers = 1 - Math.sqrt(slant * slant + dy * dy);
  // The stem widens into the heart below and into the knob of the aorta on one side.
  const widening =
    0.1 * ramp(-0.35, 0.15, y) + (x > 0 ? 0.05 * ramp(0.12, 0, Math.abs(y + 0.3)) : 0);
  const stem = (mediastinum + widening - Math.abs(x - 0.01)) * 2.4 - ramp(0.3, 0.6, y);
  return ramp(-0.06, 0.1, Math.max(chambers, stem));
}

/** Attenuation of the spine: a column of vertebrae with discs between them. */
export function spineAt({ spineBend, ribs }: Anatomy, x: number, y: number): number {
  if (x > 0.16 || x < -0.16) return 0;
  const centre = spineBend * Math.sin(2 * y);
  const column = ramp(0.105, 0.07, Math.abs(x - centre));
  if (column === 0) return 0;
  const beat = Math.cos((2 * Math.PI * (y - ribs.first)) / ribs.spacing);
  return column * (0.08 + 0.03 * beat + 0.03 * ramp(0.05, 0.08, Math.abs(x - centre)));
}

/** Attenuation of the ribs behind and, fainter and the other way round, in front. */
export function ribsAt(anatomy: Anatomy, x: number, y: number): number {
  const { first, spacing, hump, drop, width, density, shifts } = anatomy.ribs;
  const across = Math.abs(x) / anatomy.chestWidth;
  if (across > 1.12) return 0;
  const side = x < 0 ? 0 : 12;
  const fall = Math.max(0, across - 0.45);
  const lift = Math.min(1, across / 0.8);
  const behind = y - first + hump * 4 * lift * (1 - lift) - drop * fall * fall;
  const k = Math.round(behind / spacing);
  let sum = 0;
  if (k >= 0 && k < 10 && across > 0.1)
    sum += density * ribProfile((behind - k * spacing - shifts[side + k]!) / width);
  const inFront = y - first - 0.42 * (1 - across) - 0.02;
  const m = Math.round(inFront / spacing);
  if (m >= 1 && m < 8 && across > 0.3)
    sum +=
      0.6 *
      density *
      ramp(0.3, 0.5, across) *
      ribProfile((inFront - m * spacing - shifts[24 + m + side / 2]!) / (width * 1.25));
  return sum;
}

/** A tube: its walls attenuate more than its middle. */
function ribProfile(offset: number): number {
  const square = offset * offset;
  return square > 2.2 ? 0 : Math.exp(-square * square) * (0.65 + 0.6 * square);
}

/** Attenuation of the two clavicles. */
export function claviclesAt({ clavicles, chestWidth }: Anatomy, x: number, y: number): number {
  const across = Math.abs(x) / chestWidth;
  if (y > -0.5 || across < 0.1 || across > 1.05) return 0;
  const centre = clavicles.y - clavicles.slope * (across - 0.1) + 0.07 * Math.sin(across * 5);
  const offset = (y - centre) / 0.036;
  return offset * offset > 2.2 ? 0 : clavicles.density * ribProfile(offset);
}
