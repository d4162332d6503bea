/** The double-precision reference evaluator of ONNX graphs. */
export { arrayOf, type NdArray, numbersOf, tensorOf } from "./array.ts";
export { evaluate, type Feed, KERNELS } from "./evaluate.ts";
