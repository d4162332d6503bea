/** How publishers prepare pixels, and what that means for a film's grey levels. */
import type { Normalization } from "../../images/index.ts";
import type { Preprocessing } from "../../models/index.ts";

/**
 * By the names that Keras gives them. Source: keras.applications.imagenet_utils, preprocess_input;
 * torchvision's ImageClassification transform for "torch".
 */
export const PUBLISHERS = {
  torch: {
    order: "rgb",
    mean: [123.675, 116.28, 103.53],
    deviation: [58.395, 57.12, 57.375],
  },
  tf: { order: "rgb", mean: [127.5, 127.5, 127.5], deviation: [127.5, 127.5, 127.5] },
  caffe: { order: "bgr", mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1] },
} as const satisfies Readonly<Record<string, Preprocessing>>;

export const PREPROCESSINGS = [
  "torch",
  "tf",
  "caffe",
] as const satisfies (keyof typeof PUBLISHERS)[];

const IMAGENET_GREY = { scale: 57, offset: 117 } as const;

/**
 * The pixel that a normalised grey level stands for is `scale * grey + offset`. A standardised film
 * gets the mean (117) and the deviation (57) of ImageNet's own grey levels, as its publisher's
 * normalisation expects them; what lies in a range of -1 to 1 is the pixel itself.
 */
export const PIXELS_OF: Readonly<
  Record<Normalization, { readonly scale: number; readonly offset: number }>
> = {
  standardize: IMAGENET_GREY,
  percentiles: IMAGENET_GREY,
  equalize: IMAGENET_GREY,
  range: { scale: 127.5, offset: 127.5 },
};
