/**
 * A procedural chest film of a child, so that Hilum can be tried, tested and shown without any
 * patient's picture. It is synthetic and says so on its face. Read anatomy.ts for the chest,
 * opacity.ts for what pneumonia adds, film.ts for what the label must not show through.
 */
import type { GreyImage } from "../../images/index.ts";
import { type RandomStream, randomStream } from "../../random.ts";
import {
  type Anatomy,
  claviclesAt,
  drawAnatomy,
  heartAt,
  lungAt,
  ribsAt,
  spineAt,
  trunkHalfWidth,
} from "./anatomy.ts";
import { expose } from "./film.ts";
import { letter, textWidth } from "./lettering.ts";
import { OPACITY_KINDS, type Opacity, type OpacityKind } from "./opacity.ts";
import { drawPose, type Pose } from "./pose.ts";
import { drawVessels, drawWire, type Layer } from "./strokes.ts";
import { ramp, texture } from "./texture.ts";

export type PhantomLabel = "NORMAL" | "PNEUMONIA";

export interface PhantomOptions {
  readonly seed: number;
  /** Which film; films of one seed and different indices are independent. */
  readonly index: number;
  readonly label: PhantomLabel;
  /** Pixels of the longer side; the shorter has 0.75 to 1 of it. */
  readonly size: number;
  /** Whose chest it is: films of one patient share the anatomy. The index by default. */
  readonly patient?: number | undefined;
  /** The kind of opacity; drawn at random by default. */
  readonly kind?: OpacityKind | undefined;
}

/** What a film of no disease has instead of an opacity. */
const NOTHING: Opacity = () => 0;

/** A synthetic film, "SYNTHETIC" burnt into its lower left corner. Equal options give equal pixels. */
export function drawPhantom(options: PhantomOptions): GreyImage {
  const { seed, index, label, size, patient = index } = options;
  const chest = drawAnatomy(randomStream(seed, "phantom", "anatomy", patient));
  const random = randomStream(seed, "phantom", "film", index);
  const shorter = Math.round(size * random.between(0.75, 1));
  const isWide = random.chance(0.75);
  const width = isWide ? size : shorter;
  const height = isWide ? shorter : size;
  const pose = drawPose(random, width, height);
  const opacity = label === "PNEUMONIA" ? drawOpacity(options, chest) : NOTHING;
  const lines: Layer = { width, height, values: new Float32Array(width * height) };
  drawVessels(lines, random, chest, pose);
  const attenuation = attenuate(chest, pose, lines, opacity, random);
  if (random.chance(0.25)) addWires(attenuation, width, height, random, pose);
  const pixels = expose(attenuation, width, random);
  mark(pixels, width, random);
  return {
    width,
    height,
    pixels,
    source: { format: "synthetic", bitsPerSample: 8, window: null },
  };
}

/** The kind of opacity that a film with pneumonia shows unless one is asked for. */
export function phantomKind(seed: number, patient: number): OpacityKind {
  const kinds = Object.keys(OPACITY_KINDS) as OpacityKind[];
  return kinds[randomStream(seed, "phantom", "kind", patient).integer(kinds.length)]!;
}

function drawOpacity({ seed, index, patient = index, kind }: PhantomOptions, chest: Anatomy) {
  const stream = randomStream(seed, "phantom", "opacity", index);
  return OPACITY_KINDS[kind ?? phantomKind(seed, patient)](stream, chest);
}

/** The sum of all that lies behind each pixel; air is negative. */
function attenuate(
  chest: Anatomy,
  pose: Pose,
  vessels: Layer,
  opacity: Opacity,
  random: RandomStream,
): Float32Array {
  const { width, height } = vessels;
  const sum = new Float32Array(width * height);
  const bases = [random.between(0.36, 0.56), random.between(0.4, 0.6)] as const;
  const airs = [random.between(0.42, 0.62), random.between(0.42, 0.62)] as const;
  const clouds = texture(random);
  const muscle = texture(random);
  const bubble = { x: random.between(0.3, 0.5), y: bases[1] + random.between(0.14, 0.26) };
  const bubbleSize = random.between(0.06, 0.16);
  for (let row = 0, i = 0; row < height; row++) {
    let [x, y] = pose.toBody(0, row);
    for (let column = 0; column < width; column++, i++) {
      const trunk = trunkHalfWidth(chest, y);
      const across = x / trunk;
      const skin = ramp(1.02, 0.97, Math.abs(across));
      if (skin > 0) {
        const half = x < 0 ? 0 : 1;
        const heart = heartAt(chest, x, y);
        const lung = lungAt(chest, half === 0 ? -1 : 1, x, y, bases[half]);
        const air = lung * (1 - 0.92 * heart);
        const depth = 0.35 + 0.65 * Math.sqrt(Math.max(0, 1 - across * across));
        let value = skin * (0.62 * chest.fat * depth + 0.1 + 0.03 * muscle(x * 2.5, y * 2.5));
        value += 0.14 * heart + spineAt(chest, x, y) + claviclesAt(chest, x, y);
        value += ribsAt(chest, x, y) * (0.35 + 0.65 * lung);
        value -= air * (airs[half] * depth + 0.09 * clouds(x * 1.7 + 9, y * 1.7));
        if (air > 0) value += air * vessels.values[i]! + opacity(x, y, air);
        if (y > bases[half])
          value +=
            0.1 * (1 - lung) * ramp(0, 0.2, y - bases[half]) -
            0.3 *
              ramp(bubbleSize, bubbleSize * 0.6, Math.hypot(x - bubble.x, 1.6 * (y - bubble.y)));
        sum[i] = value;
      }
      x += pose.across[0];
      y += pose.across[1];
    }
  }
  return sum;
}

function addWires(
  attenuation: Float32Array,
  width: number,
  height: number,
  random: RandomStream,
  pose: Pose,
): void {
  const wires: Layer = { width, height, values: new Float32Array(width * height) };
  for (let k = 1 + random.integer(3); k > 0; k--) drawWire(wires, random, pose);
  for (let i = 0; i < attenuation.length; i++) attenuation[i]! += wires.values[i]!;
}

/** The side marker, somewhere in an upper corner; and what the film is, always in the same place. */
function mark(pixels: Uint8Array, width: number, random: RandomStream): void {
  const height = pixels.length / width;
  const side = random.chance(0.5) ? "R" : "L";
  const scale = Math.max(1, Math.round((width / 160) * random.between(1, 2)));
  const fromEdge = Math.round(width * random.between(0.02, 0.12));
  letter(pixels, width, {
    text: side,
    left: side === "R" ? fromEdge : width - fromEdge - textWidth(side, scale),
    top: Math.round(height * random.between(0.02, 0.16)),
    scale,
    value: Math.round(random.between(200, 255)),
  });
  const small = Math.max(1, Math.floor(Math.max(width, height) / 160));
  const top = height - 8 * small;
  letter(pixels, width, {
    text: "SYNTHETIC",
    left: small,
    top,
    scale: small,
    value: 255,
    ground: 0,
  });
}
