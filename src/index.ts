/** Chest X-ray classifiers in TypeScript. Not for clinical use. Further names by room: "hilum/onnx" and so on. */
export { type Classifier, loadClassifier } from "./classifier/index.node.ts";
export {
  auditDataset,
  type Dataset,
  openDataset,
  writePhantomDataset,
} from "./datasets/index.ts";
export { type ErrorCode, HilumError, isHilumError } from "./errors.ts";
export { type Evaluation, evaluate } from "./evaluation/index.ts";
export {
  type RunResult,
  type TrainContext,
  type TrainEvent,
  type TrainOptions,
  train,
} from "./training/index.ts";
