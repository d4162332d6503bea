/** Every typed operator: a function from values to a value. Shapes and types are inferred at once. */
export * from "./blocked.ts";
export * from "./contraction.ts";
export * from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./normalization.ts";
export * from "./rearrangement.ts";
export * from "./reduction.ts";
export * from "./resizing.ts";
