/** How pretrained networks are fine-tuned where nothing better is known of one. */
import type { Recipe } from "../network.ts";

export function fineTuning(own: Pick<Recipe, "size"> & Partial<Recipe>): Recipe {
  return {
    batch: 16,
    epochs: 4,
    learningRate: 3e-4,
    weightDecay: 0.02,
    optimizer: "adamw",
    augmentation: "light",
    ...own,
  };
}
