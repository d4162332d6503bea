/** Gradients of activations, from the forward output wherever it suffices. */
import { floatOf, operators as op, stringOf, type Value } from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

const scaledBy =
  (derivative: (context: GradientContext) => Value): GradientRule =>
  (context) => [op.mul(context.gradient, derivative(context))];

/**
 * 1 where x > 0, else 0. One pass: a HardSigmoid so steep that every normal positive number
 * saturates. Milliseconds for mask and product, 3.2 million elements on 2 cores: this 3.5-7;
 * Greater, Cast, Mul 4-7; Sign, Mul 18; Greater, Where 10-13 (Where is slow, also below).
 */
export function isPositive(x: Value): Value {
  return op.hardSigmoid(x, { alpha: 3e38, beta: 0 });
}

/** 1 where x >= 0, else the slope: 1 + (slope - 1) [x < 0]. */
function slopeWhereNegative(x: Value, slope: Value): Value {
  const one = x.builder.scalar(1);
  const isNegative = op.hardSigmoid(x, { alpha: -3e38, beta: 0 });
  return op.add(op.mul(isNegative, op.sub(slope, one)), one);
}

/** 1 strictly between the bounds, else 0. */
export function isBetween(x: Value, low: number | undefined, high: number | undefined): Value {
  const { builder } = x;
  const masks = [
    ...(low === undefined ? [] : [op.greater(x, builder.scalar(low))]),
    ...(high === undefined ? [] : [op.less(x, builder.scalar(high))]),
  ];
  const [first, second] = masks;
  if (!first) return builder.scalar(1);
  return op.cast(second ? op.and(first, second) : first, "float32");
}

/** A bound from the operand or, before operator set 11, from the attribute. */
function clipBound(context: GradientContext, index: number, name: string): number | undefined {
  const operand = context.optionalInput(index);
  if (operand && !operand.constant) context.unsupported("its bounds are computed at run time");
  if (operand?.constant) return Number(operand.constant.data[0]);
  const attribute = context.attributes[name];
  return attribute?.kind === "float" ? attribute.value : undefined;
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
  // 1 where x >= 0, else alpha
  LeakyRelu: scaledBy((context) => {
    const alpha = floatOf(context.attributes, "alpha", 0.01);
    return slopeWhereNegative(context.input(0), context.builder.scalar(alpha));
  }),
  // dx: 1 where x >= 0, else slope; dslope: min(x, 0)
  PRelu: (context) => {
    const [x, slope] = [context.input(0), context.input(1)];
    const { builder, gradient } = context;
    return [
      context.needs(0) ? op.mul(gradient, slopeWhereNegative(x, slope)) : undefined,
      context.needs(1) ? op.mul(gradient, op.min(x, builder.scalar(0))) : undefined,
    ];
  },
  // 1 where x > 0, else alpha e^x = y + alpha: min(y, 0) + alpha + (1 - alpha) [y > 0]
  Elu: scaledBy((context) => {
    const alpha = floatOf(context.attributes, "alpha", 1);
    if (alpha < 0) context.unsupported("its alpha is negative");
    const y = context.output(0);
    const scalar = (value: number) => context.builder.scalar(value);
    const below = op.add(op.min(y, scalar(0)), scalar(alpha));
    return alpha === 1 ? below : op.add(below, op.mul(isPositive(y), scalar(1 - alpha)));
  }),
  // 1 strictly between the bounds, 0 at them
  Clip: scaledBy((context) => {
    const y = context.output(0);
    return isBetween(y, clipBound(context, 1, "min"), clipBound(context, 2, "max"));
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
