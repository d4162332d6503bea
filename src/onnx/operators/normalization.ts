/** Typed constructors of normalizations and softmax. */
import type { Value } from "../build.ts";
import { float, int } from "../graph.ts";

export interface NormParameters {
  readonly scale: Value;
  readonly bias: Value;
}

export interface BatchNormParameters extends NormParameters {
  readonly mean: Value;
  readonly variance: Value;
}

/**
 * Batch normalization by the stored statistics. `momentum` is the weight of the old running
 * statistics in training, which the training graph applies (ONNX's meaning, 0.9 by default).
 */
export function batchNormalization(
  x: Value,
  { scale, bias, mean, variance }: BatchNormParameters,
  { epsilon = 1e-5, momentum = 0.9 } = {},
): Value {
  return x.builder.node("BatchNormalization", [x, scale, bias, mean, variance], {
    epsilon: float(epsilon),
    momentum: float(momentum),
  })[0]!;
}

/**
 * Normalization by the batch itself, with the running statistics blended in:
 * `running = momentum * old + (1 - momentum) * batch` (population variance). ONNX Runtime writes the
 * running statistics over `mean` and `variance`: give it values that nothing else reads.
 */
export function batchNormalizationInTraining(
  x: Value,
  { scale, bias, mean, variance }: BatchNormParameters,
  { epsilon = 1e-5, momentum = 0.9 } = {},
): { y: Value; runningMean: Value; runningVariance: Value } {
  const [y, runningMean, runningVariance] = x.builder.node(
    "BatchNormalization",
    [x, scale, bias, mean, variance],
    { epsilon: float(epsilon), momentum: float(momentum), training_mode: int(1) },
    { outputs: 3 },
  );
  return { y: y!, runningMean: runningMean!, runningVariance: runningVariance! };
}

export function layerNormalization(
  x: Value,
  { scale, bias }: NormParameters,
  { axis = -1, epsilon = 1e-5 } = {},
): Value {
  return x.builder.node("LayerNormalization", [x, scale, bias], {
    axis: int(axis),
    epsilon: float(epsilon),
  })[0]!;
}

export function instanceNormalization(
  x: Value,
  { scale, bias }: NormParameters,
  { epsilon = 1e-5 } = {},
): Value {
  return x.builder.node("InstanceNormalization", [x, scale, bias], { epsilon: float(epsilon) })[0]!;
}

/** `scale` and `bias` are per channel (operator set 21). */
export function groupNormalization(
  x: Value,
  { scale, bias }: NormParameters,
  { groups, epsilon = 1e-5 }: { readonly groups: number; readonly epsilon?: number },
): Value {
  return x.builder.node("GroupNormalization", [x, scale, bias], {
    num_groups: int(groups),
    epsilon: float(epsilon),
  })[0]!;
}

export function softmax(x: Value, axis = -1): Value {
  return x.builder.node("Softmax", [x], { axis: int(axis) })[0]!;
}

export function logSoftmax(x: Value, axis = -1): Value {
  return x.builder.node("LogSoftmax", [x], { axis: int(axis) })[0]!;
}
