/** Gradients of arithmetic. Broadcasting is undone by the walk, not here. */
import { type DataType, operators as op, type Value } from "../../onnx/index.ts";
import {
  type GradientContext,
  type GradientRule,
  type GradientTable,
  noGradient,
} from "../rule.ts";

/** A rule of one operand from the derivative dy/dx. */
const unary =
  (derivative: (context: GradientContext) => Value): GradientRule =>
  (context) => [op.mul(context.gradient, derivative(context))];

/** Each operand's gradient, computed only where it is needed. */
function perOperand(
  context: GradientContext,
  ...makers: readonly (() => Value)[]
): readonly (Value | undefined)[] {
  return makers.map((make, index) => (context.needs(index) ? make() : undefined));
}

/** y = max or min of operands: the gradient goes to the operand that is y; ties share it evenly. */
const extremum: GradientRule = (context) => {
  const y = context.output(0);
  const operands = context.node.inputs.map((_, index) => context.input(index));
  if (operands.length === 1) return [context.gradient];
  const isChosen = operands.map((operand) => op.cast(op.equal(operand, y), "float32"));
  const share = op.div(context.gradient, op.sum(isChosen[0]!, ...isChosen.slice(1)));
  return isChosen.map((mask, index) => (context.needs(index) ? op.mul(share, mask) : undefined));
};

/** c x^(c - 1) for a constant c; small whole exponents avoid the slow general power. */
function scaledPower(x: Value, exponent: number): Value {
  const { builder } = x;
  const scaled = (value: Value) => op.mul(value, builder.scalar(exponent));
  if (exponent === 0 || exponent === 1) return builder.scalar(exponent);
  if (exponent === 2) return scaled(x);
  if (exponent === 3) return scaled(op.mul(x, x));
  return scaled(op.pow(x, builder.scalar(exponent - 1)));
}

const FLOATS: ReadonlySet<DataType> = new Set(["float32", "float64", "float16", "bfloat16"]);

function constantScalar(value: Value): number | undefined {
  return value.constant?.data.length === 1 ? Number(value.constant.data[0]) : undefined;
}

export const ARITHMETIC_GRADIENTS: GradientTable = {
  // d(a + b) = da + db
  Add: ({ gradient }) => [gradient, gradient],
  Sub: (context) =>
    perOperand(
      context,
      () => context.gradient,
      () => op.neg(context.gradient),
    ),
  // d(a b) = b da + a db
  Mul: (context) =>
    perOperand(
      context,
      () => op.mul(context.gradient, context.input(1)),
      () => op.mul(context.gradient, context.input(0)),
    ),
  // d(a / b) = da / b - y db / b
  Div: (context) => {
    const first = op.div(context.gradient, context.input(1));
    return perOperand(
      context,
      () => first,
      () => op.neg(op.mul(first, context.output(0))),
    );
  },
  // d(a^b) = b a^(b-1) da + y log(a) db; at a = 0 the second term is taken as 0
  Pow: (context) => {
    const [base, exponent] = [context.input(0), context.input(1)];
    const { builder } = context;
    const constant = constantScalar(exponent);
    return perOperand(
      context,
      () => {
        const derivative =
          constant === undefined
            ? op.mul(exponent, op.pow(base, op.sub(exponent, builder.scalar(1))))
            : scaledPower(base, constant);
        return op.mul(context.gradient, derivative);
      },
      () => {
        const isPositive = op.greater(base, builder.scalar(0));
        const logarithm = op.log(op.where(isPositive, base, builder.scalar(1)));
        return op.mul(context.gradient, op.mul(context.output(0), logarithm));
      },
    );
  },
  Neg: ({ gradient }) => [op.neg(gradient)],
  // The subgradient at 0 is 0.
  Abs: unary((context) => op.sign(context.input(0))),
  // d(1 / x) = -y^2 dx
  Reciprocal: unary((context) => op.neg(op.mul(context.output(0), context.output(0)))),
  Exp: unary((context) => context.output(0)),
  Log: (context) => [op.div(context.gradient, context.input(0))],
  // d sqrt(x) = dx / (2 y)
  Sqrt: (context) => [
    op.div(op.mul(context.gradient, context.builder.scalar(0.5)), context.output(0)),
  ],
  Sin: unary((context) => op.cos(context.input(0))),
  Cos: unary((context) => op.neg(op.sin(context.input(0)))),
  Sum: (context) => context.node.inputs.map(() => context.gradient),
  Mean: (context) => {
    const share = op.mul(context.gradient, context.builder.scalar(1 / context.node.inputs.length));
    return context.node.inputs.map(() => share);
  },
  Max: extremum,
  Min: extremum,
  // The gradient goes to the branch that was taken. A product takes a third of the time of a Where.
  Where: (context) => {
    const { gradient } = context;
    const taken = op.mul(gradient, op.cast(context.input(0), "float32"));
    return [
      undefined,
      context.needs(1) ? taken : undefined,
      context.needs(2) ? op.sub(gradient, taken) : undefined,
    ];
  },
  Identity: ({ gradient }) => [gradient],
  // Forward, a dropout that was not switched to training hands its input on.
  Dropout: ({ gradient }) => [gradient],
  Cast: (context) => {
    const { type } = context.input(0);
    return FLOATS.has(type) ? [op.cast(context.gradient, type)] : [];
  },
  Ceil: noGradient,
  Floor: noGradient,
  Round: noGradient,
  Sign: noGradient,
  Equal: noGradient,
  Greater: noGradient,
  GreaterOrEqual: noGradient,
  Less: noGradient,
  LessOrEqual: noGradient,
  Not: noGradient,
  And: noGradient,
  Or: noGradient,
  IsNaN: noGradient,
  ArgMax: noGradient,
  ArgMin: noGradient,
};
