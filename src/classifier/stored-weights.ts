/** A classifier whose file is a half or a quarter as large. */
import { fullWeights, type StoredWeights, storeWeights } from "../models/index.ts";
import type { Model } from "../onnx/index.ts";
import { readMetadata, writeMetadata } from "./metadata.ts";

/**
 * The model with its weights stored in half precision, or as whole numbers of 8 bits with a scale
 * for each output channel; null gives float32 back (what was rounded stays so). They are made
 * float32 when the file is loaded, and all arithmetic is as before. Comes after all other passes.
 * Throws `not-a-classifier`.
 */
export function withStoredWeights(model: Model, weights: StoredWeights | null): Model {
  const { weights: before, ...metadata } = readMetadata(model.metadata, "the model");
  if (before === (weights ?? undefined)) return model;
  const plain = fullWeights(model.graph);
  const others = [...model.metadata].filter(([key]) => key !== "hilum.weights");
  const described = writeMetadata({ ...metadata, ...(weights ? { weights } : {}) });
  return {
    ...model,
    graph: weights ? storeWeights(plain, weights) : plain,
    metadata: new Map([...others, ...described]),
  };
}
