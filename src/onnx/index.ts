/** Graphs as values: build, read, write, infer shapes. Typed operators are under `operators`. */

export { batchesOf, extendedForAnyBatch } from "./any-batch.ts";
export * from "./build.ts";
export * from "./graph.ts";
export type { ReadOptions } from "./malformed.ts";
export type { Activation } from "./operators/blocked.ts";
export * as operators from "./operators/index.ts";
export { readModel } from "./read.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
export { broadcastShapes } from "./shapes/broadcast.ts";
export { INFERABLE_OPERATORS, inferOutputs } from "./shapes/infer.ts";
export { sliceIndices } from "./shapes/rearrangement.ts";
export { type Window, windowOf } from "./shapes/window.ts";
export * from "./tensor.ts";
export { validateGraph } from "./validate.ts";
export { type WriteOptions, writeModel } from "./write.ts";
export type { ExternalPlacement } from "./write-tensor.ts";
