/** What the shipped recipe is held against: itself with other augmentation or normalization. */
import type { TrainOptions } from "../../src/training/index.ts";
import { FLAGSHIP } from "./recipe.ts";

/** The last is the shipped one; the others differ from it in what they name, and in nothing else. */
export const YARDSTICK_RECIPES: Readonly<Record<string, TrainOptions>> = {
  light: { ...FLAGSHIP.training, augmentation: "light", normalization: "standardize" },
  strong: { ...FLAGSHIP.training, augmentation: "strong", normalization: "standardize" },
  framing: { ...FLAGSHIP.training, augmentation: "framing", normalization: "standardize" },
  heavy: { ...FLAGSHIP.training, normalization: "standardize" },
  shipped: FLAGSHIP.training,
};

export const SHIPPED_RECIPE = "shipped";
