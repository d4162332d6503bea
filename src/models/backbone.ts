/** What a pretrained backbone is: a network of its publisher's making, and what goes with it. */
import type { Value } from "../onnx/index.ts";
import type { Recipe } from "./network.ts";

/** How the publisher prepares an image: x = (pixel - mean) / deviation, pixels of 0 to 255. */
export interface Preprocessing {
  readonly order: "rgb" | "bgr";
  /** By channel, in that order. */
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

export interface Backbone {
  /**
   * From normalised images `[N, 3, S, S]` to features: the last spatial map `[N, C, h, w]`, after its
   * norm and activation, or the pooled vector `[N, C]` of a transformer.
   */
  features(x: Value): Value;
  /** From features to the logits `[N, 1000]` of the publisher's classes, pooling included. */
  top(features: Value): Value;
}

export interface BackboneEntry {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** Side of the square input that the weights were trained at. */
  readonly size: number;
  readonly preprocessing: Preprocessing;
  /** Of fine-tuning. */
  readonly recipe: Recipe;
  /** Parameters start from `seed`; published weights take their place by name (weights/fit-weights.ts). */
  build(options: { readonly seed: number }): Backbone;
}
