/**
 * What may happen to a film, at five severities, as a table of graphs over greys from 0 to 255.
 * Those of "MedMNIST-C" have the definitions and severities of its chest X-rays (pneumoniamnist, 224
 * pixels): Di Salvo, Doerrich and Ledig 2024, "MedMNIST-C", version 0.1.0 of their package. The
 * others are Hilum's own.
 */
import { float32, operators as op, type Tensor, type Value } from "../../onnx/index.ts";
import type { RandomStream } from "../../random.ts";
import { borderMask, motionGrid, textMask } from "./marks.ts";
import { blurMatrix, pixelateMatrix } from "./matrices.ts";

export interface FilmSize {
  readonly width: number;
  readonly height: number;
}

export type Severities = readonly [number, number, number, number, number];

export interface GraphCorruption {
  readonly name: string;
  readonly definition: "MedMNIST-C" | "Hilum";
  readonly severities: Severities;
  /** What is the same for all films of a size, by the name of the graph's input. */
  fixed?(amount: number, size: FilmSize): Feeds;
  /** What the film and chance bring; pixels `[H, W]` for the mean. */
  drawn?(amount: number, size: FilmSize, random: RandomStream, pixels: Uint8Array): Feeds;
  /** Greys `[1, H, W]` to greys, before they are cut to 0 and 255 and rounded down. */
  apply(greys: Value, feed: (name: string) => Value, amount: number): Value;
}

export type Feeds = Readonly<Record<string, Tensor>>;

const image = ({ width, height }: FilmSize, values: Float32Array): Tensor =>
  float32([1, height, width], values);
const noise = (size: FilmSize, draw: () => number): Feeds => {
  const values = new Float32Array(size.width * size.height);
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return { noise: image(size, values) };
};
const normalNoise: NonNullable<GraphCorruption["drawn"]> = (_, size, random) =>
  noise(size, random.normal);

const scaled = (x: Value, factor: number): Value => op.mul(x, x.builder.scalar(factor));
const moved = (x: Value, amount: number): Value => op.add(x, x.builder.scalar(amount));

const brightness = { apply: (x: Value, _: unknown, a: number) => scaled(x, a) };
/** Pillow's contrast: about the mean grey, as a whole number. */
const contrast: Pick<GraphCorruption, "drawn" | "apply"> = {
  drawn: (_amount, _size, _random, pixels) => {
    let sum = 0;
    for (const pixel of pixels) sum += pixel;
    return { mean: float32([1], [Math.floor(sum / pixels.length + 0.5)]) };
  },
  apply: (x, feed, amount) => op.add(scaled(op.sub(x, feed("mean")), amount), feed("mean")),
};
/** torchvision's table: 255.999 (x / 255)^gamma. */
const gamma = {
  apply: (x: Value, _: unknown, a: number) =>
    scaled(op.pow(scaled(x, 1 / 255), x.builder.scalar(a)), 255.999),
};
/** Along both axes by fed matrices; rounded, not cut. */
const bothAxes: GraphCorruption["apply"] = (x, feed) =>
  moved(op.matMul(op.matMul(feed("rows"), x), feed("columns")), 0.5);
const alongBoth = ({ width, height }: FilmSize, matrix: (size: number) => Float32Array): Feeds => ({
  rows: float32([height, height], matrix(height)),
  columns: float32([width, width], transposed(matrix(width), width)),
});
const throughGrid: GraphCorruption["apply"] = (x, feed) =>
  op.squeeze(op.gridSample(op.unsqueeze(x, [1]), feed("grid")), [1]);
const grid = ({ width, height }: FilmSize, values: Float32Array): Feeds => ({
  grid: float32([1, height, width, 2], values),
});

/** Enlarged by factors across and down of the amount. */
const enlarged = (
  factors: (amount: number) => { across?: number; down?: number },
): Pick<GraphCorruption, "fixed" | "apply"> => ({
  fixed: (amount, size) => grid(size, motionGrid(size.width, size.height, factors(amount))),
  apply: throughGrid,
});

export const GRAPH_CORRUPTIONS: readonly GraphCorruption[] = [
  {
    name: "gaussian noise",
    definition: "MedMNIST-C",
    severities: [0.04, 0.05, 0.06, 0.07, 0.08],
    drawn: normalNoise,
    apply: (x, feed, amount) => op.add(x, scaled(feed("noise"), 255 * amount)),
  },
  {
    name: "speckle noise",
    definition: "MedMNIST-C",
    severities: [0.05, 0.07, 0.1, 0.15, 0.2],
    drawn: normalNoise,
    apply: (x, feed, amount) => op.add(x, scaled(op.mul(x, feed("noise")), amount)),
  },
  {
    name: "impulse noise",
    definition: "MedMNIST-C",
    severities: [0.005, 0.01, 0.013, 0.017, 0.02],
    // -1 makes black, 1 white, 0 leaves the grey.
    drawn: (amount, size, random) =>
      noise(size, () => {
        const drawn = random.uniform();
        return drawn < amount / 2 ? -1 : drawn < amount ? 1 : 0;
      }),
    apply: (x, feed) => op.add(x, scaled(feed("noise"), 255)),
  },
  {
    // Counts of light, here normal about their mean: at 80 counts for white the steps are alike.
    name: "shot noise",
    definition: "MedMNIST-C",
    severities: [300, 200, 150, 100, 80],
    drawn: normalNoise,
    apply: (x, feed, amount) => {
      const counts = scaled(x, amount / 255);
      const drawn = op.add(counts, op.mul(op.sqrt(counts), feed("noise")));
      return scaled(op.max(op.round(drawn), x.builder.scalar(0)), 255 / amount);
    },
  },
  {
    name: "blur",
    definition: "MedMNIST-C",
    severities: [3, 5, 7, 9, 11],
    fixed: (amount, size) => alongBoth(size, (length) => blurMatrix(length, amount)),
    apply: bothAxes,
  },
  {
    name: "low resolution",
    definition: "MedMNIST-C",
    severities: [0.8, 0.7, 0.6, 0.5, 0.4],
    fixed: (amount, size) =>
      alongBoth(size, (length) => pixelateMatrix(length, Math.max(1, Math.floor(length * amount)))),
    apply: bothAxes,
  },
  {
    name: "brighter",
    definition: "MedMNIST-C",
    severities: [1.1, 1.2, 1.3, 1.4, 1.5],
    ...brightness,
  },
  {
    name: "darker",
    definition: "MedMNIST-C",
    severities: [0.9, 0.8, 0.7, 0.6, 0.5],
    ...brightness,
  },
  {
    name: "more contrast",
    definition: "MedMNIST-C",
    severities: [1.1, 1.2, 1.3, 1.4, 1.6],
    ...contrast,
  },
  {
    name: "less contrast",
    definition: "MedMNIST-C",
    severities: [0.9, 0.8, 0.7, 0.6, 0.4],
    ...contrast,
  },
  {
    name: "higher gamma",
    definition: "MedMNIST-C",
    severities: [1.1, 1.2, 1.3, 1.4, 1.6],
    ...gamma,
  },
  {
    name: "lower gamma",
    definition: "MedMNIST-C",
    severities: [0.9, 0.8, 0.7, 0.6, 0.4],
    ...gamma,
  },
  {
    name: "rotation",
    definition: "Hilum",
    severities: [3, 6, 10, 15, 20],
    drawn: (degrees, size, random) => {
      const turned = random.chance(0.5) ? degrees : -degrees;
      return grid(size, motionGrid(size.width, size.height, { degrees: turned }));
    },
    apply: throughGrid,
  },
  {
    name: "shift",
    definition: "Hilum",
    severities: [0.02, 0.04, 0.07, 0.1, 0.15],
    drawn: (amount, size, random) => {
      const shift = random.chance(0.5) ? amount : -amount;
      return grid(size, motionGrid(size.width, size.height, { shift }));
    },
    apply: throughGrid,
  },
  {
    name: "cropped",
    definition: "Hilum",
    severities: [0.95, 0.9, 0.85, 0.8, 0.7],
    ...enlarged((kept) => ({ across: 1 / kept, down: 1 / kept })),
  },
  {
    // Smaller, on black ground.
    name: "padded",
    definition: "Hilum",
    severities: [0.95, 0.9, 0.85, 0.8, 0.7],
    ...enlarged((side) => ({ across: side, down: side })),
  },
  {
    // What squashing does to a film of another aspect ratio.
    name: "taller",
    definition: "Hilum",
    severities: [1.05, 1.1, 1.15, 1.25, 1.4],
    ...enlarged((factor) => ({ down: factor })),
  },
  {
    name: "wider",
    definition: "Hilum",
    severities: [1.05, 1.1, 1.15, 1.25, 1.4],
    ...enlarged((factor) => ({ across: factor })),
  },
  {
    // From the film towards its negative, which the last severity is.
    name: "inverted greys",
    definition: "Hilum",
    severities: [0.2, 0.35, 0.65, 0.8, 1],
    apply: (x, _, amount) => moved(scaled(x, 1 - 2 * amount), 255 * amount),
  },
  {
    name: "burnt-in text",
    definition: "Hilum",
    severities: [0.03, 0.05, 0.07, 0.1, 0.14],
    fixed: (amount, size) => ({ mask: image(size, textMask(size.width, size.height, amount)) }),
    apply: (x, feed) => op.add(x, scaled(feed("mask"), 255)),
  },
  {
    name: "missing border",
    definition: "Hilum",
    severities: [0.02, 0.04, 0.07, 0.1, 0.15],
    fixed: (amount, size) => ({ mask: image(size, borderMask(size.width, size.height, amount)) }),
    apply: (x, feed) => op.mul(x, feed("mask")),
  },
];

/** JPEG is no graph: sharp encodes and decodes it. MedMNIST-C's qualities. */
export const JPEG_CORRUPTION = {
  name: "JPEG quality",
  definition: "MedMNIST-C",
  severities: [50, 30, 15, 10, 7],
} as const;

export const CORRUPTION_NAMES: readonly string[] = [
  ...GRAPH_CORRUPTIONS.map(({ name }) => name),
  JPEG_CORRUPTION.name,
];

function transposed(matrix: Float32Array, size: number): Float32Array {
  return matrix.map((_, i) => matrix[(i % size) * size + Math.floor(i / size)]!);
}
