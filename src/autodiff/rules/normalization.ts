/**
 * Gradients of normalizations. All are of one form: with x^ = (x - mean) r, r = 1/sqrt(var + eps),
 * and h = dY scale, the gradient is dX = r (h - mean(h) - x^ mean(h x^)) over the normalized axes.
 */
import { floatOf, intOf, operators as op, staticShape, type Value } from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

const rangeFrom = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);

/**
 * Batch norm. In training dX = a dY + b x + c with per-channel numbers a, b, c, so that dX takes
 * one pass over dY and x, and the two sums another. Source: Ioffe and Szegedy 2015, section 3,
 * regrouped. Frozen, it is an affine map by channel.
 */
const batchNormalization: GradientRule = (context) => {
  const [x, scale] = [context.input(0), context.input(1)];
  const { builder, gradient } = context;
  const shape = staticShape(x);
  const channels = shape[1]!;
  const axes = [0, ...rangeFrom(2, shape.length)];
  const column = shape.map((_, axis) => (axis === 1 ? channels : 1));
  const isTraining = intOf(context.attributes, "training_mode", 0) === 1;
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
  const dx = op.add(op.mul(gradient, factor), op.add(op.mul(x, slope), offset));
  return [dx, ...parameters];
};

/** x^ recomputed from x, its mean and r; the gradient over `axes` as in the head of this file. */
function normalizedGradient(
  h: Value,
  x: Value,
  { mean, inverse, axes }: { mean: Value; inverse: Value; axes: readonly number[] },
): { dx: Value; normalized: Value } {
  const normalized = op.mul(op.sub(x, mean), inverse);
  const meanOfH = op.reduceMean(h, { axes });
  const meanOfProduct = op.reduceMean(op.mul(h, normalized), { axes });
  const centred = op.sub(op.sub(h, meanOfH), op.mul(normalized, meanOfProduct));
  return { dx: op.mul(centred, inverse), normalized };
}

const layerNormalization: GradientRule = (context) => {
  const x = context.input(0);
  const rank = x.shape.length;
  const axis = intOf(context.attributes, "axis", -1);
  const first = axis < 0 ? axis + rank : axis;
  const { dx, normalized } = normalizedGradient(op.mul(context.gradient, context.input(1)), x, {
    mean: context.output(1),
    inverse: context.output(2),
    axes: rangeFrom(first, rank),
  });
  return [dx, op.mul(context.gradient, normalized), context.gradient];
};

/** Mean and r over `axes`, for normalizations that do not return them. */
function statistics(context: GradientContext, x: Value, axes: readonly number[]) {
  const epsilon = context.builder.scalar(floatOf(context.attributes, "epsilon", 1e-5));
  const mean = op.reduceMean(x, { axes });
  const centred = op.sub(x, mean);
  const variance = op.reduceMean(op.mul(centred, centred), { axes });
  return { mean, inverse: op.reciprocal(op.sqrt(op.add(variance, epsilon))), axes };
}

const instanceNormalization: GradientRule = (context) => {
  const x = context.input(0);
  const shape = staticShape(x);
  const column = shape.map((size, axis) => (axis === 1 ? size : 1));
  const others = [0, ...rangeFrom(2, shape.length)];
  const h = op.mul(context.gradient, op.reshape(context.input(1), column));
  const { dx, normalized } = normalizedGradient(
    h,
    x,
    statistics(context, x, rangeFrom(2, shape.length)),
  );
  const sums = (value: Value) => op.reduceSum(value, { axes: others, keepsDims: false });
  return [dx, sums(op.mul(context.gradient, normalized)), sums(context.gradient)];
};

/** Instance norm over groups: `[N, G, C/G * ...]`, with scale and bias by channel. */
const groupNormalization: GradientRule = (context) => {
  const x = context.input(0);
  const shape = staticShape(x);
  const [batch, channels] = [shape[0]!, shape[1]!];
  const groups = intOf(context.attributes, "num_groups", 1);
  const grouped = [batch, groups, shape.slice(1).reduce((a, b) => a * b, 1) / groups];
  const column = shape.map((size, axis) => (axis === 1 ? size : 1));
  const others = [0, ...rangeFrom(2, shape.length)];
  if (staticShape(context.input(1))[0] !== channels)
    context.unsupported("scale and bias by group (operator set 18) are not supported");
  const h = op.reshape(op.mul(context.gradient, op.reshape(context.input(1), column)), grouped);
  const flat = op.reshape(x, grouped);
  const { dx, normalized } = normalizedGradient(h, flat, statistics(context, flat, [2]));
  const sums = (value: Value) => op.reduceSum(value, { axes: others, keepsDims: false });
  const products = op.mul(context.gradient, op.reshape(normalized, shape));
  return [op.reshape(dx, shape), sums(products), sums(context.gradient)];
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
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};
