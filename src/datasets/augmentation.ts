/**
 * Augmentation as part of the training graph. What is random is drawn here, per sample, from
 * (seed, epoch, step, sample) and fed as one row of numbers; the graph does the arithmetic.
 */
import { float32, operators as op, type Value } from "../onnx/index.ts";
import { type RandomStream, randomStream } from "../random.ts";

/** Ranges that a sample's parameters are drawn from; zero switches a part off and out of the graph. */
export interface Augmentation {
  /** Degrees either way. */
  readonly rotation: number;
  /** Largest relative change of scale, either way; also of the aspect ratio, at half the amount. */
  readonly scale: number;
  /** Shear, as a slope, either way. */
  readonly shear: number;
  /** Shift as a fraction of the size, either way. */
  readonly shift: number;
  /** Probability of a mirror image. Films are not symmetric (the heart lies left): keep it rare or 0.5 on purpose. */
  readonly flip: number;
  readonly brightness: number;
  /** Largest relative change of contrast, either way. */
  readonly contrast: number;
  /** Gamma between 1 / (1 + gamma) and 1 + gamma. */
  readonly gamma: number;
  /** From sharpening by half of this to blurring by this; 1 is a full Gaussian of one pixel. */
  readonly blur: number;
  /** Largest standard deviation of the noise, on a scale of 0 to 1. */
  readonly noise: number;
  /** Probability of erasing one rectangle of 2 to 15 % of the area. */
  readonly erase: number;
  /** Strength of mixup (alpha of its beta distribution). */
  readonly mixup: number;
}

const NONE: Augmentation = {
  rotation: 0,
  scale: 0,
  shear: 0,
  shift: 0,
  flip: 0,
  brightness: 0,
  contrast: 0,
  gamma: 0,
  blur: 0,
  noise: 0,
  erase: 0,
  mixup: 0,
};

/** Presets by name. "strong" is for long training from scratch. */
export const AUGMENTATIONS = {
  none: NONE,
  light: {
    ...NONE,
    rotation: 7,
    scale: 0.1,
    shear: 0.03,
    shift: 0.05,
    flip: 0.5,
    brightness: 0.08,
    contrast: 0.15,
    gamma: 0.15,
  },
  strong: {
    ...NONE,
    rotation: 12,
    scale: 0.2,
    shear: 0.08,
    shift: 0.08,
    flip: 0.5,
    brightness: 0.15,
    contrast: 0.3,
    gamma: 0.35,
    blur: 0.8,
    noise: 0.04,
    erase: 0.35,
  },
} as const satisfies Readonly<Record<string, Augmentation>>;

/** What each number of a sample's row is, in order. */
export const COLUMNS = [
  "xx",
  "xy",
  "x",
  "yx",
  "yy",
  "y",
  "brightness",
  "contrast",
  "gamma",
  "blur",
  "noise",
  "noiseOffset",
  "left",
  "right",
  "top",
  "bottom",
  "fill",
  "mixup",
] as const;
export type Column = (typeof COLUMNS)[number];

export const AUGMENTATION_COLUMNS = COLUMNS.length;
const NOISE_TABLE = 1 << 17;

/** Writes the row of one sample; `path` is (seed, epoch, step, sample). */
export function drawAugmentation(
  ranges: Augmentation,
  path: readonly number[],
  row: Float32Array,
): void {
  const random = randomStream(...path, "augment");
  const values: Record<Column, number> = {
    ...affine(ranges, random),
    ...intensity(ranges, random),
    ...erasure(ranges, random),
    mixup: mixture(ranges, random),
  };
  COLUMNS.forEach((column, index) => {
    row[index] = values[column];
  });
}

/** The map from output to input positions, in the coordinates of AffineGrid (-1 to 1). */
function affine(ranges: Augmentation, random: RandomStream) {
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

export interface AugmentationOperands {
  /** `[N, 1, S, S]`, 0 to 255. */
  readonly images: Value;
  /** `[N, AUGMENTATION_COLUMNS]`. */
  readonly rows: Value;
  readonly ranges: Augmentation;
}

/** The augmented images, `[N, 1, S, S]`, 0 to 255, without mixup (see `mixed`). */
export function augmented({ images, rows, ranges }: AugmentationOperands): Value {
  const { builder } = images;
  let x = hasGeometry(ranges) ? warped(images, rows) : images;
  if (!hasIntensity(ranges)) return x;
  x = op.mul(x, builder.scalar(1 / 255));
  if (ranges.gamma > 0)
    x = op.exp(op.mul(op.log(op.max(x, builder.scalar(1e-3))), column(rows, "gamma")));
  if (ranges.contrast > 0 || ranges.brightness > 0) {
    const middle = builder.scalar(0.5);
    const shift = op.add(column(rows, "brightness"), middle);
    x = op.add(op.mul(op.sub(x, middle), column(rows, "contrast")), shift);
  }
  if (ranges.blur > 0) x = op.add(x, op.mul(op.sub(smoothed(x), x), column(rows, "blur")));
  if (ranges.noise > 0) x = op.add(x, op.mul(noiseLike(x, rows), column(rows, "noise")));
  x = op.clip(x, 0, 1);
  if (ranges.erase > 0) x = op.where(erased(x, rows), column(rows, "fill"), x);
  return op.mul(x, builder.scalar(255));
}

/** Each sample blended with its neighbour in the batch: `share x + (1 - share) neighbour`. */
export function mixed(x: Value, rows: Value): Value {
  const share = op.reshape(
    op.slice(rows, [
      { axis: 1, start: COLUMNS.indexOf("mixup"), end: COLUMNS.indexOf("mixup") + 1 },
    ]),
    [-1, ...x.shape.slice(1).map(() => 1)],
  );
  const batch = Number(x.shape[0]);
  const neighbour = op.concat(
    [
      op.slice(x, [{ axis: 0, start: 1, end: batch }]),
      op.slice(x, [{ axis: 0, start: 0, end: 1 }]),
    ],
    0,
  );
  return op.add(neighbour, op.mul(op.sub(x, neighbour), share));
}

const hasGeometry = (a: Augmentation): boolean =>
  a.rotation > 0 || a.scale > 0 || a.shear > 0 || a.shift > 0 || a.flip > 0;
const hasIntensity = (a: Augmentation): boolean =>
  a.brightness > 0 || a.contrast > 0 || a.gamma > 0 || a.blur > 0 || a.noise > 0 || a.erase > 0;

/** One column of the rows, `[N, 1, 1, 1]`. */
function column(rows: Value, name: Column): Value {
  const index = COLUMNS.indexOf(name);
  return op.reshape(op.slice(rows, [{ axis: 1, start: index, end: index + 1 }]), [-1, 1, 1, 1]);
}

function warped(images: Value, rows: Value): Value {
  const theta = op.reshape(op.slice(rows, [{ axis: 1, start: 0, end: 6 }]), [-1, 2, 3]);
  const grid = op.affineGrid(theta, images.shape.map(Number));
  return op.gridSample(images, grid, { mode: "linear", padding: "zeros" });
}

/** A 5x5 Gaussian with a standard deviation of one pixel. */
function smoothed(x: Value): Value {
  const taps = [-2, -1, 0, 1, 2].map((offset) => Math.exp(-(offset ** 2) / 2));
  const total = taps.reduce((a, b) => a + b, 0) ** 2;
  const kernel = taps.flatMap((a) => taps.map((b) => (a * b) / total));
  const weight = x.builder.constant(float32([1, 1, 5, 5], kernel));
  return op.conv(op.pad(x, [0, 0, 2, 2, 0, 0, 2, 2], { mode: "edge" }), weight);
}

/** Standard normal numbers from a table, read from a place of each sample's own: a gather is cheaper than a hash. */
function noiseLike(x: Value, rows: Value): Value {
  const { builder } = x;
  const positions = Number(x.shape[2]) * Number(x.shape[3]);
  const random = randomStream(0, "noise-table");
  const length = NOISE_TABLE + positions;
  const table = builder.constant(
    float32(
      [length],
      Float32Array.from({ length }, () => random.normal()),
    ),
  );
  const ramp = builder.constant({
    type: "int64",
    dims: [1, positions],
    data: BigInt64Array.from({ length: positions }, (_, index) => BigInt(index)),
  });
  const offset = op.reshape(op.cast(column(rows, "noiseOffset"), "int64"), [-1, 1]);
  return op.reshape(op.gather(table, op.add(offset, ramp)), x.shape.map(Number));
}

function erased(x: Value, rows: Value): Value {
  const size = Number(x.shape[2]);
  const centres = Float32Array.from({ length: size }, (_, index) => (index + 0.5) / size);
  const along = (dims: readonly number[], low: Column, high: Column): Value => {
    const position = x.builder.constant(float32(dims, centres));
    return op.and(
      op.greaterOrEqual(position, column(rows, low)),
      op.less(position, column(rows, high)),
    );
  };
  return op.and(along([1, 1, 1, size], "left", "right"), along([1, 1, size, 1], "top", "bottom"));
}
