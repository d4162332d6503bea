/** How publishers prepare an image. */
import type { Preprocessing } from "../backbone.ts";

/** Mean and deviation of ImageNet by channel, times 255. Source: torchvision, ImageClassification. */
export const BY_IMAGENET: Preprocessing = {
  order: "rgb",
  mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
  deviation: [0.229 * 255, 0.224 * 255, 0.225 * 255],
};

/** From -1 to 1. */
export const BY_RANGE: Preprocessing = {
  order: "rgb",
  mean: [127.5, 127.5, 127.5],
  deviation: [127.5, 127.5, 127.5],
};
