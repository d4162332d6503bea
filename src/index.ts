/** Chest X-ray classifiers in TypeScript. Not for clinical use. Further names by room: "hilum/onnx" and so on. */
export { loadClassifier } from "./classifier/index.node.ts";
export { auditDataset, openDataset, writePhantomDataset } from "./datasets/index.ts";
export { HilumError, isHilumError } from "./errors.ts";
export { evaluate } from "./evaluation/index.ts";
export { train } from "./training/index.ts";
