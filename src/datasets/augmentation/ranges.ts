/** How strongly films are augmented: ranges, and presets of them by name. */

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
  /** Largest share of width and of height, each its own, that a random crop leaves out. */
  readonly crop: number;
  /** Probability of a mirror image. Films are not symmetric (the heart lies left): keep it rare or 0.5 on purpose. */
  readonly flip: number;
  readonly brightness: number;
  /** Largest relative change of contrast, either way. */
  readonly contrast: number;
  /** Gamma between 1 / (1 + gamma) and 1 + gamma. */
  readonly gamma: number;
  /** Bends of the tone curve, at most 1: an arch and an S, which together stay monotone. */
  readonly curve: number;
  /** Largest relative brightening at an edge of the film, with as much darkening at the opposite one. */
  readonly shading: number;
  /** From flattening by half of this to enhancing by this what stands out from its wider surroundings. */
  readonly localContrast: number;
  /** From sharpening by half of this to blurring by this; 1 is a full Gaussian of one pixel. */
  readonly blur: number;
  /** Largest standard deviation of the noise, on a scale of 0 to 1. */
  readonly noise: number;
  /** Largest factor on JPEG's own table of quantisation; 1 is quality 50, 2 is quality 25. */
  readonly jpeg: number;
  /** Largest share of the fine detail's bandwidth that is lost. */
  readonly resolution: number;
  /** Probability of erasing one rectangle of 2 to 15 % of the area. */
  readonly erase: number;
  /** Probability of a frame: up to 12 % of any side in black, white or grey. */
  readonly frame: number;
  /** Probability of a burnt-in letter, and, each for itself, of a blank corner. */
  readonly marks: number;
  /** Strength of mixup (alpha of its beta distribution). */
  readonly mixup: number;
}

const NONE: Augmentation = {
  rotation: 0,
  scale: 0,
  shear: 0,
  shift: 0,
  crop: 0,
  flip: 0,
  brightness: 0,
  contrast: 0,
  gamma: 0,
  curve: 0,
  shading: 0,
  localContrast: 0,
  blur: 0,
  noise: 0,
  jpeg: 0,
  resolution: 0,
  erase: 0,
  frame: 0,
  marks: 0,
  mixup: 0,
};

const STRONG: Augmentation = {
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
};

/**
 * Presets by name. "framing" changes most how a film was cropped, squashed and bordered, and its tone
 * by little; "strong" is for long training from scratch; "heavy" also takes away what tells one scanner
 * or archive from another: borders, marks, tone curve, sharpness, compression.
 */
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
  framing: {
    ...NONE,
    rotation: 10,
    scale: 0.2,
    shear: 0.05,
    shift: 0.08,
    crop: 0.25,
    flip: 0.5,
    brightness: 0.1,
    contrast: 0.2,
    gamma: 0.25,
    erase: 0.2,
    frame: 0.3,
  },
  strong: STRONG,
  heavy: {
    ...STRONG,
    rotation: 15,
    shear: 0.1,
    crop: 0.25,
    brightness: 0.2,
    contrast: 0.4,
    gamma: 0.6,
    curve: 0.8,
    shading: 0.25,
    localContrast: 0.8,
    blur: 1,
    noise: 0.05,
    jpeg: 1.5,
    resolution: 0.6,
    frame: 0.3,
    marks: 0.3,
  },
} as const satisfies Readonly<Record<string, Augmentation>>;
