/** Gradients of reductions: the result's gradient is spread over what was reduced. */
import {
  intOf,
  intsOf,
  operators as op,
  staticShape,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

function reducedAxes(context: GradientContext): readonly number[] {
  const rank = context.input(0).shape.length;
  const operand = context.optionalInput(1);
  const axes = operand?.constant ? toNumbers(operand.constant) : intsOf(context.attributes, "axes");
  if (axes && axes.length > 0) return axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const isNoop = intOf(context.attributes, "noop_with_empty_axes", 0) === 1;
  return isNoop ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** A result of the reduction with its reduced axes kept as 1. */
function kept(context: GradientContext, value: Value): Value {
  if (intOf(context.attributes, "keepdims", 1) === 1) return value;
  const axes = new Set(reducedAxes(context));
  return op.reshape(
    value,
    staticShape(context.input(0)).map((size, axis) => (axes.has(axis) ? 1 : size)),
  );
}

function count(context: GradientContext): number {
  const shape = staticShape(context.input(0));
  return reducedAxes(context).reduce((total, axis) => total * shape[axis]!, 1);
}

const spread = (context: GradientContext, value: Value): Value =>
  op.expand(value, staticShape(context.input(0)));

/** The gradient goes to the extreme elements; ties share it evenly. */
const extremum: GradientRule = (context) => {
  const x = context.input(0);
  const axes = reducedAxes(context);
  if (axes.length === 0) return [context.gradient];
  const isExtreme = op.cast(op.equal(x, kept(context, context.output(0))), "float32");
  const ties = op.reduceSum(isExtreme, { axes });
  return [op.mul(isExtreme, op.div(kept(context, context.gradient), ties))];
};

export const REDUCTION_GRADIENTS: GradientTable = {
  ReduceSum: (context) => [spread(context, kept(context, context.gradient))],
  ReduceMean: (context) => {
    const share = op.mul(context.gradient, context.builder.scalar(1 / count(context)));
    return [spread(context, kept(context, share))];
  },
  // d sum x^2 = 2 x dx
  ReduceSumSquare: (context) => {
    const doubled = op.mul(kept(context, context.gradient), context.builder.scalar(2));
    return [op.mul(context.input(0), doubled)];
  },
  // d |x| = x dx / |x|; the subgradient at 0 is 0.
  ReduceL2: (context) => {
    const { builder } = context;
    const norm = kept(context, context.output(0));
    const isZero = op.equal(norm, builder.scalar(0));
    const divisor = op.where(isZero, builder.scalar(1), norm);
    const ratio = op.div(kept(context, context.gradient), divisor);
    return [op.mul(context.input(0), ratio)];
  },
  // d sum |x| = sign(x) dx
  ReduceL1: (context) => [op.mul(op.sign(context.input(0)), kept(context, context.gradient))],
  ReduceMax: extremum,
  ReduceMin: extremum,
};
