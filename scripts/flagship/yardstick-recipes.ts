/** What the shipped recipe is held against: its trainings alone, with other augmentation or normalization. */
import type { TrainOptions } from "../../src/training/index.ts";
import { FLAGSHIP } from "./recipe.ts";

const [FIRST] = Object.values(FLAGSHIP.trainings);

/** They differ in what they name, and in nothing else; those of the shipped recipe are among them. */
export const YARDSTICK_TRAININGS: Readonly<Record<string, TrainOptions>> = {
  ...FLAGSHIP.trainings,
  strong: { ...FIRST, augmentation: "strong" },
  heavy: { ...FIRST, augmentation: "heavy" },
  "heavy-percentiles": { ...FIRST, augmentation: "heavy", normalization: "percentiles" },
};

export const SHIPPED_RECIPE = "shipped";

/** Recipes whose weights are the mean of those of trainings, by their names. */
export const YARDSTICK_MEANS: Readonly<Record<string, readonly string[]>> = {
  [SHIPPED_RECIPE]: Object.keys(FLAGSHIP.trainings),
};

export const YARDSTICK_RECIPES = [
  ...Object.keys(YARDSTICK_TRAININGS),
  ...Object.keys(YARDSTICK_MEANS),
];
