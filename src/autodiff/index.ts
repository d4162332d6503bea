/** Training as a graph transformation: gradients, losses, optimizers, the training graph. */

export {
  averageName,
  CONTROLS,
  type Control,
  nextName,
  type StateKind,
  type StateTensor,
} from "./assembly.ts";
export { appendGradients } from "./gradient.ts";
export {
  binaryCrossEntropy,
  focal,
  type Loss,
  type LossOperands,
  type LossOptions,
  softmaxCrossEntropy,
} from "./losses.ts";
export { manySteps, outerName } from "./many-steps.ts";
export { uniformNoise } from "./noise.ts";
export { type AdamOptions, adam, adamW } from "./optimizers/adam.ts";
export type { Optimizer, Updated, UpdateOperands } from "./optimizers/optimizer.ts";
export { type SgdOptions, sgd } from "./optimizers/sgd.ts";
export {
  mergeTransposes,
  optimizeGraph,
  type Pass,
  removeCopies,
  removeDeadNodes,
} from "./passes/index.ts";
export type { GradientContext, GradientRule, GradientTable } from "./rule.ts";
export { GRADIENT_RULES } from "./rules/index.ts";
export {
  parameterNames,
  type TrainingGraph,
  trainingGraph,
} from "./training-graph.ts";
export type { TrainingGraphOptions } from "./update.ts";
