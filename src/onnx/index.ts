/** Graphs as values: build, read, write, infer shapes. Typed operators are under `operators`. */

export * as operators from "./operators/index.ts";
export * from "./build.ts";
export * from "./graph.ts";
export * from "./tensor.ts";
export { INFERABLE_OPERATORS, inferOutputs } from "./shapes/infer.ts";
export { sliceIndices } from "./shapes/rearrangement.ts";
export { type Window, windowOf } from "./shapes/window.ts";
