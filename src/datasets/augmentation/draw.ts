/** What is random in augmentation: one row of numbers per sample, drawn from (seed, epoch, step, sample). */
import { type RandomStream, randomStream } from "../../random.ts";
import type { Augmentation } from "./ranges.ts";
import { GLYPHS, NOISE_TABLE } from "./tables.ts";

/** What each number of a sample's row is, in order. */
export const COLUMNS = [
  ...(["xx", "xy", "x", "yx", "yy", "y"] as const),
  ...(["brightness", "contrast", "gamma", "blur", "noise", "noiseOffset"] as const),
  ...(["left", "right", "top", "bottom", "fill"] as const),
  "mixup",
  ...(["arch", "bend", "shadeX", "shadeY", "localContrast", "jpeg", "detail"] as const),
  ...(["frameLeft", "frameRight", "frameTop", "frameBottom", "frameFill"] as const),
  ...(["blankLeft", "blankRight", "blankTop", "blankBottom", "blankFill"] as const),
  ...(["glyph", "glyphXX", "glyphX", "glyphYY", "glyphY", "glyphFill"] as const),
] as const;
export type Column = (typeof COLUMNS)[number];

export const AUGMENTATION_COLUMNS = COLUMNS.length;

/** Writes the row of one sample; `path` is (seed, epoch, step, sample). */
export function drawAugmentation(
  ranges: Augmentation,
  path: readonly number[],
  row: Float32Array,
): void {
  const random = randomStream(...path, "augment");
  // A run is repeated by its numbers: what is drawn later in this list must not move what came before.
  const whole = affine(ranges, random);
  write(row, whole);
  write(row, intensity(ranges, random));
  write(row, erasure(ranges, random));
  write(row, { mixup: mixture(ranges, random) });
  write(row, cropped(whole, ranges, random));
  write(row, rendering(ranges, random));
  write(row, frame(ranges, random));
  write(row, blank(ranges, random));
  write(row, glyph(ranges, random));
}

const PLACES = Object.fromEntries(COLUMNS.map((name, index) => [name, index])) as Readonly<
  Record<Column, number>
>;

/** One object of all columns left 24 KB a sample that quick collections did not take, 400 MB in an epoch of 17,000. */
function write(row: Float32Array, part: Readonly<Partial<Record<Column, number>>>): void {
  for (const column in part) row[PLACES[column as Column]] = part[column as Column]!;
}

type Affine = Record<"xx" | "xy" | "x" | "yx" | "yy" | "y", number>;

/** The map from output to input positions, in the coordinates of AffineGrid (-1 to 1). */
function affine(ranges: Augmentation, random: RandomStream): Affine {
  const angle = (random.between(-1, 1) * ranges.rotation * Math.PI) / 180;
  const size = Math.exp(random.between(-1, 1) * Math.log1p(ranges.scale));
  const aspect = Math.exp((random.between(-1, 1) * Math.log1p(ranges.scale)) / 2);
  const mirror = random.chance(ranges.flip) ? -1 : 1;
  const shear = random.between(-1, 1) * ranges.shear;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return {
    xx: mirror * cos * size * aspect,
    xy: -sin * size + shear,
    x: 2 * random.between(-1, 1) * ranges.shift,
    yx: mirror * sin * size,
    yy: (cos * size) / aspect,
    y: 2 * random.between(-1, 1) * ranges.shift,
  };
}

function intensity(ranges: Augmentation, random: RandomStream) {
  return {
    brightness: random.between(-1, 1) * ranges.brightness,
    contrast: Math.exp(random.between(-1, 1) * Math.log1p(ranges.contrast)),
    gamma: Math.exp(random.between(-1, 1) * Math.log1p(ranges.gamma)),
    blur: random.between(-0.5, 1) * ranges.blur,
    noise: random.uniform() * ranges.noise,
    noiseOffset: random.integer(NOISE_TABLE),
  };
}

/** The rectangle in units of the size. Source: Zhong et al. 2020, "Random Erasing", algorithm 1. */
function erasure(ranges: Augmentation, random: RandomStream) {
  const isErased = random.chance(ranges.erase);
  const area = random.between(0.02, 0.15);
  const aspect = Math.exp(random.between(-1, 1) * Math.log(3));
  const [width, height] = [Math.sqrt(area * aspect), Math.sqrt(area / aspect)];
  const left = random.between(0, 1 - width);
  const top = random.between(0, 1 - height);
  const fill = random.uniform();
  if (!isErased) return { left: 2, right: 2, top: 2, bottom: 2, fill };
  return { left, right: left + width, top, bottom: top + height, fill };
}

/** Beta(alpha, alpha) through two gamma variates; 1 keeps the sample as it is. Source: Zhang et al. 2018. */
function mixture({ mixup }: Augmentation, random: RandomStream): number {
  if (mixup === 0) return 1;
  // Johnk's method: exact for alpha <= 1, where it accepts quickly.
  for (;;) {
    const x = random.uniform() ** (1 / mixup);
    const y = random.uniform() ** (1 / mixup);
    if (x + y > 0 && x + y <= 1) return Math.max(x, y) / (x + y);
  }
}

/** The affine map after a crop of the output: a part of the film fills the square, squashed to it. */
function cropped(map: Affine, { crop }: Augmentation, random: RandomStream): Affine {
  const width = 1 - random.uniform() * crop;
  const height = 1 - random.uniform() * crop;
  const x = random.between(-1, 1) * (1 - width);
  const y = random.between(-1, 1) * (1 - height);
  return {
    xx: map.xx * width,
    xy: map.xy * height,
    x: map.xx * x + map.xy * y + map.x,
    yx: map.yx * width,
    yy: map.yy * height,
    y: map.yx * x + map.yy * y + map.y,
  };
}

function rendering(ranges: Augmentation, random: RandomStream) {
  return {
    arch: (random.between(-1, 1) * ranges.curve) / 2,
    bend: (random.between(-1, 1) * ranges.curve) / 2,
    shadeX: random.between(-1, 1) * ranges.shading,
    shadeY: random.between(-1, 1) * ranges.shading,
    localContrast: random.between(-0.5, 1) * ranges.localContrast,
    jpeg: random.uniform() * ranges.jpeg,
    detail: 1 - random.uniform() * ranges.resolution,
  };
}

const FRAME_SIDE = 0.12;

/** What the frame leaves open; each side is there or not, and as wide as it likes. */
function frame(ranges: Augmentation, random: RandomStream) {
  const isFramed = random.chance(ranges.frame);
  const side = () => (random.chance(0.5) ? random.uniform() * FRAME_SIDE : 0);
  const sides = [side(), side(), side(), side()] as const;
  const frameFill = random.chance(0.5) ? 0 : random.chance(0.5) ? 1 : random.uniform();
  const [left, right, top, bottom] = isFramed ? sides : [0, 0, 0, 0];
  return {
    frameLeft: left,
    frameRight: 1 - right,
    frameTop: top,
    frameBottom: 1 - bottom,
    frameFill,
  };
}

/** A corner without its marks, under one dark shade. */
function blank({ marks }: Augmentation, random: RandomStream) {
  const isBlank = random.chance(marks);
  const [width, height] = [random.between(0.08, 0.3), random.between(0.06, 0.22)];
  const left = random.chance(0.5) ? 0 : 1 - width;
  const top = random.chance(0.5) ? 0 : 1 - height;
  const blankFill = random.uniform() * 0.5;
  if (!isBlank) return { blankLeft: 2, blankRight: 2, blankTop: 2, blankBottom: 2, blankFill };
  return {
    blankLeft: left,
    blankRight: left + width,
    blankTop: top,
    blankBottom: top + height,
    blankFill,
  };
}

/** A letter near a corner, often mirrored, as films are; 0 to 1 in `glyphFill`, below 0 for none. */
function glyph({ marks }: Augmentation, random: RandomStream) {
  const isMarked = random.chance(marks);
  const half = random.between(0.02, 0.06);
  const wide = half * random.between(0.6, 1.1) * (random.chance(0.5) ? -1 : 1);
  const place = () => random.between(0.6, 0.98) * (random.chance(0.5) ? -1 : 1);
  const [x, y] = [place(), place()];
  const shade = random.between(0.6, 1);
  return {
    glyph: random.integer(GLYPHS.length),
    glyphXX: 1 / wide,
    glyphX: -x / wide,
    glyphYY: 1 / half,
    glyphY: -y / half,
    glyphFill: isMarked ? shade : -1,
  };
}
