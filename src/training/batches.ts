/** Feeds of training steps, in memory that is allocated once. */
import { logitCount, logitTargets } from "../classifier/index.ts";
import {
  AUGMENTATION_COLUMNS,
  type Augmentation,
  drawAugmentation,
  type ImageCache,
  type Task,
} from "../datasets/index.ts";
import type { Tensor } from "../onnx/index.ts";
import { isAugmented } from "./compose.ts";
import type { Feeds } from "./trainer.ts";

export interface BatchSource {
  readonly cache: ImageCache;
  readonly task: Task;
  /** Weight of a sample, by its index in the cache. */
  readonly weightOf: (index: number) => number;
  readonly batch: number;
  readonly augmentation: Augmentation;
  readonly seed: number;
}

export interface Batches {
  /** The feeds of the samples at these indices; valid until the slot is filled again. */
  fill(slot: number, indices: Uint32Array, epoch: number, step: number): Feeds;
}

/** Memory for `slots` batches (a step has as many as it has micro-batches). */
export function openBatches(source: BatchSource, slots: number): Batches {
  const { cache, task, batch, augmentation } = source;
  const count = logitCount(task);
  const labels = cache.samples.map((sample) => logitTargets(sample, task));
  const memory = Array.from({ length: slots }, () => ({
    images: new Uint8Array(batch * cache.size * cache.size),
    targets: new Float32Array(batch * count),
    weights: new Float32Array(batch * count),
    rows: new Float32Array(batch * AUGMENTATION_COLUMNS),
  }));
  const float = (dims: readonly number[], data: Float32Array): Tensor => ({
    type: "float32",
    dims,
    data,
  });
  return {
    fill(slot, indices, epoch, step) {
      const { images, targets, weights, rows } = memory[slot]!;
      cache.readInto(indices, images);
      indices.forEach((index, place) => {
        const label = labels[index]!;
        targets.set(label.targets, place * count);
        const weight = source.weightOf(index);
        weights.set(
          label.weights.map((value) => value * weight),
          place * count,
        );
        const row = rows.subarray(place * AUGMENTATION_COLUMNS, (place + 1) * AUGMENTATION_COLUMNS);
        drawAugmentation(augmentation, [source.seed, epoch, step, index], row);
      });
      return {
        images: { type: "uint8", dims: [batch, cache.size, cache.size], data: images },
        targets: float([batch, count], targets),
        weights: float([batch, count], weights),
        ...(isAugmented(augmentation)
          ? { augmentation: float([batch, AUGMENTATION_COLUMNS], rows) }
          : {}),
      };
    },
  };
}
