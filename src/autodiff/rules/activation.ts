/** Gradients of activations, from the forward output wherever it suffices. */
import { floatOf, operators as op, stringOf, type Value } from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

const scaledBy =
  (derivative: (context: GradientContext) => Value): GradientRule =>
  (context) => [op.mul(context.gradient, derivative(context))];

/**
 * 1 where x > 0, else 0. One pass: a HardSigmoid so steep that every normal positive number
 * saturates. Sign takes 66 ms on 16.8 million elements where this takes a fifth (2 cores).
 */
export function isPositive(x: Value): Value {
  return op.hardSigmoid(x, { alpha: 3e38, beta: 0 });
}

/** 1 strictly between the bounds, else 0. */
function isBetween(x: Value, low: number | undefined, high: number | undefined): Value {
  const { builder } = x;
  const masks = [
    ...(low === undefined ? [] : [op.greater(x, builder.scalar(low))]),
    ...(high === undefined ? [] : [op.less(x, builder.scalar(high))]),
  ];
  const [first, second] = masks;
  if (!first) return builder.scalar(1);
  return op.cast(second ? op.and(first, second) : first, "float32");
}

/** d gelu = Phi(x) + x phi(x). Source: Hendrycks and Gimpel 2016, equation 1. */
function geluDerivative(x: Value): Value {
  const { builder } = x;
  const half = builder.scalar(0.5);
  const cumulative = op.add(op.mul(op.erf(op.mul(x, builder.scalar(Math.SQRT1_2))), half), half);
  const density = op.mul(
    op.exp(op.mul(op.mul(x, x), builder.scalar(-0.5))),
    builder.scalar(1 / Math.sqrt(2 * Math.PI)),
  );
  return op.add(cumulative, op.mul(x, density));
}

/** With u = sqrt(2/pi) (x + 0.044715 x^3), t = tanh u: (1 + t)/2 + x (1 - t^2) u' / 2. */
function tanhGeluDerivative(x: Value): Value {
  const { builder } = x;
  const [half, one] = [builder.scalar(0.5), builder.scalar(1)];
  const square = op.mul(x, x);
  const inner = op.add(one, op.mul(square, builder.scalar(0.044715)));
  const t = op.tanh(op.mul(op.mul(x, inner), builder.scalar(SQRT_2_OVER_PI)));
  const slope = op.mul(
    op.add(one, op.mul(square, builder.scalar(3 * 0.044715))),
    builder.scalar(SQRT_2_OVER_PI),
  );
  const curve = op.mul(op.mul(x, op.sub(one, op.mul(t, t))), slope);
  return op.mul(half, op.add(op.add(one, t), curve));
}

export const ACTIVATION_GRADIENTS: GradientTable = {
  // The subgradient at 0 is 0.
  Relu: scaledBy((context) => isPositive(context.output(0))),
  // alpha where x < 0, else 1
  LeakyRelu: scaledBy((context) => {
    const alpha = floatOf(context.attributes, "alpha", 0.01);
    const one = context.builder.scalar(1);
    const isNegative = op.less(context.input(0), context.builder.scalar(0));
    return op.where(isNegative, context.builder.scalar(alpha), one);
  }),
  // dx: slope where x < 0, else 1; dslope: x where x < 0, else 0
  PRelu: (context) => {
    const [x, slope] = [context.input(0), context.input(1)];
    const isNegative = op.less(x, context.builder.scalar(0));
    const one = context.builder.scalar(1);
    return [
      context.needs(0) ? op.mul(context.gradient, op.where(isNegative, slope, one)) : undefined,
      context.needs(1) ? op.mul(context.gradient, op.min(x, context.builder.scalar(0))) : undefined,
    ];
  },
  // 1 where x > 0, else alpha e^x = y + alpha
  Elu: scaledBy((context) => {
    const alpha = context.builder.scalar(floatOf(context.attributes, "alpha", 1));
    const isAbove = op.greater(context.input(0), context.builder.scalar(0));
    return op.where(isAbove, context.builder.scalar(1), op.add(context.output(0), alpha));
  }),
  // 1 strictly between the bounds; the bounds are constants of the model
  Clip: scaledBy((context) => {
    const bound = (index: number) => {
      const value = context.optionalInput(index);
      if (value && !value.constant) context.unsupported("its bounds are computed at run time");
      return value?.constant ? Number(value.constant.data[0]) : undefined;
    };
    return isBetween(context.input(0), bound(1), bound(2));
  }),
  // y (1 - y)
  Sigmoid: scaledBy((context) => {
    const y = context.output(0);
    return op.sub(y, op.mul(y, y));
  }),
  // alpha where 0 < y < 1
  HardSigmoid: scaledBy((context) => {
    const alpha = context.builder.scalar(floatOf(context.attributes, "alpha", 0.2));
    return op.mul(isBetween(context.output(0), 0, 1), alpha);
  }),
  // y = x h(x), h = clip(x/6 + 1/2, 0, 1): h + x/6 where 0 < h < 1
  HardSwish: scaledBy((context) => {
    const x = context.input(0);
    const gate = op.hardSigmoid(x, { alpha: 1 / 6, beta: 0.5 });
    const slope = op.mul(isBetween(gate, 0, 1), context.builder.scalar(1 / 6));
    return op.add(gate, op.mul(x, slope));
  }),
  // 1 - y^2
  Tanh: scaledBy((context) => {
    const y = context.output(0);
    return op.sub(context.builder.scalar(1), op.mul(y, y));
  }),
  Softplus: scaledBy((context) => op.sigmoid(context.input(0))),
  // 2 / sqrt(pi) e^(-x^2)
  Erf: scaledBy((context) => {
    const x = context.input(0);
    return op.mul(op.exp(op.neg(op.mul(x, x))), context.builder.scalar(2 / Math.sqrt(Math.PI)));
  }),
  Gelu: scaledBy((context) => {
    const isTanh = stringOf(context.attributes, "approximate", "none") === "tanh";
    return (isTanh ? tanhGeluDerivative : geluDerivative)(context.input(0));
  }),
};
