/** What a network is: a function from a value to a value, and the recipe that goes with it. */
import type { Value } from "../onnx/index.ts";

/** From normalised images `[N, 1, S, S]` to logits `[N, outputs]`. */
export type Network = (x: Value, outputs: number) => Value;

export interface NetworkOptions {
  /** Factor on every layer's channels. */
  readonly width: number;
  /** Factor on the number of blocks (or layers). */
  readonly depth: number;
  readonly seed: number;
}

/** What a user who names only the network gets. */
export interface Recipe {
  readonly size: number;
  readonly batch: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly optimizer: "sgd" | "adam" | "adamw";
  readonly augmentation: "none" | "light" | "strong";
  /** Of the moving average of the weights; none where it is left out. */
  readonly averageDecay?: number;
}

export interface NetworkEntry {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly recipe: Recipe;
  build(options: NetworkOptions): Network;
}

/** Channels scaled by `width`, a multiple of eight (the block that fast convolutions work in). */
export function scaledChannels(channels: number, width: number): number {
  return width === 1 ? channels : Math.max(8, Math.round((channels * width) / 8) * 8);
}

/** Blocks scaled by `depth`, at least one. */
export function scaledBlocks(blocks: number, depth: number): number {
  return Math.max(1, Math.round(blocks * depth));
}
