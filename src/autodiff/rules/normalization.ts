/**
 * Gradients of normalizations. All are of one form: with x^ = (x - mean) r, r = 1/sqrt(var + eps),
 * and h = dY scale, the gradient is dX = r (h - mean(h) - x^ mean(h x^)) over the normalized axes.
 */
import {
  filled,
  floatOf,
  intOf,
  operators as op,
  staticShape,
  type Value,
} from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

const rangeFrom = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);

/**
 * y = x slope + offset by channel, in one pass: a batch norm by stored statistics with mean 0 and
 * variance 1. `slope` and `offset` have one number per channel.
 */
function affine(x: Value, slope: Value, offset: Value): Value {
  const { builder } = x;
  const channels = staticShape(x)[1]!;
  const [zeros, ones] = [0, 1].map((value) => builder.constant(filled([channels], value)));
  const vector = (value: Value) => op.reshape(value, [channels]);
  const parameters = { scale: vector(slope), bias: vector(offset), mean: zeros!, variance: ones! };
  return op.batchNormalization(x, parameters, { epsilon: 0 });
}

/**
 * Batch norm. In training dX = a dY + b x + c with per-channel numbers a, b, c, so that dX takes
 * one pass over dY and x, and the two sums another. Source: Ioffe and Szegedy 2015, section 3,
 * regrouped. Frozen, it is an affine map by channel.
 *
 * Milliseconds on 2 cores (AVX2), batch 16, of 64 x 56x56 | 256 x 14x14 | 96 x 112x112:
 * - dX as a Mul and a Mul-Add-Add by channel 7.0 | 1.4 | 36.6; as `affine(x)` plus a Mul 6.4 | 1.4 | 26.4;
 *   as `affine(dY + x b/a)` 7.4 | 1.4 | 28.6; with a depthwise Conv for the affine part 12.0 | 1.6 | 27.5.
 * - the sums as ReduceSum over [0, 2, 3] 11.3 | 0.8 | 39.2; through GlobalAveragePool 11.7 | 0.9 | 59.6;
 *   the second as batched MatMul of rows with columns 23.1 | 3.7 | 99.1.
 */
const batchNormalization: GradientRule = (context) => {
  const [x, scale] = [context.input(0), context.input(1)];
  const { builder, gradient } = context;
  const shape = staticShape(x);
  const channels = shape[1]!;
  const axes = [0, ...rangeFrom(2, shape.length)];
  const column = shape.map((_, axis) => (axis === 1 ? channels : 1));
  const isTraining = intOf(context.attributes, "training_mode", 0) === 1;
  if (!isTraining && (context.needs(3) || context.needs(4)))
    context.unsupported("its stored mean or variance is computed from what trains");
  if (isTraining && floatOf(context.attributes, "momentum", 0.9) !== 0)
    context.unsupported(
      "in training its momentum must be 0, so that outputs 1 and 2 are the batch's",
    );
  const mean = op.reshape(isTraining ? context.output(1) : context.input(3), column);
  const variance = op.reshape(isTraining ? context.output(2) : context.input(4), column);
  const epsilon = builder.scalar(floatOf(context.attributes, "epsilon", 1e-5));
  const inverse = op.reciprocal(op.sqrt(op.add(variance, epsilon)));
  const factor = op.mul(op.reshape(scale, column), inverse);
  const needsSums = isTraining || context.needs(1) || context.needs(2);
  if (!needsSums) return [op.mul(gradient, factor)];
  const dBias = op.reduceSum(gradient, { axes });
  const products = op.reduceSum(op.mul(gradient, x), { axes });
  const dScale = op.mul(op.sub(products, op.mul(mean, dBias)), inverse);
  const parameters = [op.reshape(dScale, [channels]), op.reshape(dBias, [channels])];
  if (!context.needs(0)) return [undefined, ...parameters];
  if (!isTraining) return [op.mul(gradient, factor), ...parameters];
  const share = builder.scalar(channels / shape.reduce((a, b) => a * b, 1));
  const slope = op.neg(op.mul(op.mul(factor, inverse), op.mul(dScale, share)));
  const offset = op.neg(op.add(op.mul(factor, op.mul(dBias, share)), op.mul(slope, mean)));
  return [op.add(op.mul(gradient, factor), affine(x, slope, offset)), ...parameters];
};

/** dX from h and x^ over `axes`, as in the head of this file. */
function normalizedGradient(
  h: Value,
  normalized: Value,
  { inverse, axes }: { inverse: Value; axes: readonly number[] },
): Value {
  const meanOfH = op.reduceMean(h, { axes });
  const meanOfProduct = op.reduceMean(op.mul(h, normalized), { axes });
  return op.mul(op.sub(op.sub(h, meanOfH), op.mul(normalized, meanOfProduct)), inverse);
}

const layerNormalization: GradientRule = (context) => {
  const x = context.input(0);
  const rank = x.shape.length;
  const axis = intOf(context.attributes, "axis", -1);
  const first = axis < 0 ? axis + rank : axis;
  const { gradient } = context;
  const [mean, inverse] = [context.output(1), context.output(2)];
  const normalized = op.mul(op.sub(x, mean), inverse);
  const h = () => op.mul(gradient, context.input(1));
  return [
    context.needs(0)
      ? normalizedGradient(h(), normalized, { inverse, axes: rangeFrom(first, rank) })
      : undefined,
    context.needs(1) ? op.mul(gradient, normalized) : undefined,
    gradient,
  ];
};

/**
 * Instance norm is a group norm with a group for every channel: x as `[N, G, C/G * ...]` is
 * normalized along its last axis, scale and bias are by channel.
 */
function groupedNormalization(context: GradientContext, groups: number): (Value | undefined)[] {
  const [x, scale] = [context.input(0), context.input(1)];
  const { builder, gradient } = context;
  const shape = staticShape(x);
  const [batch, channels] = [shape[0]!, shape[1]!];
  const grouped = [batch, groups, shape.slice(1).reduce((a, b) => a * b, 1) / groups];
  const column = shape.map((size, axis) => (axis === 1 ? size : 1));
  const axes = [2];
  const flat = op.reshape(x, grouped);
  const centred = op.sub(flat, op.reduceMean(flat, { axes }));
  const variance = op.reduceMean(op.mul(centred, centred), { axes });
  const epsilon = builder.scalar(floatOf(context.attributes, "epsilon", 1e-5));
  const inverse = op.reciprocal(op.sqrt(op.add(variance, epsilon)));
  const normalized = op.mul(centred, inverse);
  const h = () => op.reshape(op.mul(gradient, op.reshape(scale, column)), grouped);
  const perChannel = (value: Value) => {
    const others = [0, ...rangeFrom(2, shape.length)];
    return op.reshape(op.reduceSum(value, { axes: others }), [channels]);
  };
  return [
    context.needs(0)
      ? op.reshape(normalizedGradient(h(), normalized, { inverse, axes }), shape)
      : undefined,
    context.needs(1) ? perChannel(op.mul(gradient, op.reshape(normalized, shape))) : undefined,
    context.needs(2) ? perChannel(gradient) : undefined,
  ];
}

const groupNormalization: GradientRule = (context) => {
  if (staticShape(context.input(1))[0] !== staticShape(context.input(0))[1])
    context.unsupported("scale and bias by group (operator set 18) are not supported");
  return groupedNormalization(context, intOf(context.attributes, "num_groups", 1));
};

/** dX = y (dY - sum(dY y)) along the axis. */
const softmax: GradientRule = (context) => {
  const y = context.output(0);
  const axes = [intOf(context.attributes, "axis", -1)];
  const total = op.reduceSum(op.mul(context.gradient, y), { axes });
  return [op.mul(y, op.sub(context.gradient, total))];
};

/** dX = dY - softmax sum(dY) along the axis, with softmax = e^y. */
const logSoftmax: GradientRule = (context) => {
  const axes = [intOf(context.attributes, "axis", -1)];
  const total = op.reduceSum(context.gradient, { axes });
  return [op.sub(context.gradient, op.mul(op.exp(context.output(0)), total))];
};

export const NORMALIZATION_GRADIENTS: GradientTable = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: (context) =>
    groupedNormalization(context, staticShape(context.input(0))[1]!),
  GroupNormalization: groupNormalization,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};
