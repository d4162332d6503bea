/** Shape rules of reductions. */
import { intOf, intsOf } from "../graph.ts";
import { toNumbers } from "../tensor.ts";
import type { ShapeContext, ShapeRule, ShapeTable } from "./infer.ts";

/** The reduced axes, non-negative, from the second input or (older operator sets) the attribute. */
export function reducedAxes(context: ShapeContext): readonly number[] {
  const rank = context.operand(0).shape.length;
  const input = context.inputs[1];
  if (input && !input.constant) context.fail("the axes are computed at run time");
  const axes = input?.constant ? toNumbers(input.constant) : intsOf(context.attributes, "axes");
  if (!axes || axes.length === 0)
    return intOf(context.attributes, "noop_with_empty_axes", 0) === 1
      ? []
      : Array.from({ length: rank }, (_, axis) => axis);
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

const reduction: ShapeRule = (context) => {
  const { type, shape } = context.operand(0);
  const axes = new Set(reducedAxes(context));
  const keeps = intOf(context.attributes, "keepdims", 1) === 1;
  const kept = shape.flatMap((dim, axis) => (axes.has(axis) ? (keeps ? [1] : []) : [dim]));
  return [{ type, shape: kept }];
};

const argument: ShapeRule = (context) => {
  const { shape } = context.operand(0);
  const axis = intOf(context.attributes, "axis", 0);
  const reduced = axis < 0 ? axis + shape.length : axis;
  const keeps = intOf(context.attributes, "keepdims", 1) === 1;
  const kept = shape.flatMap((dim, index) => (index === reduced ? (keeps ? [1] : []) : [dim]));
  return [{ type: "int64", shape: kept }];
};

const REDUCTIONS = [
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSum",
  "ReduceSumSquare",
];

export const REDUCTION_SHAPES: ShapeTable = {
  ...Object.fromEntries(REDUCTIONS.map((name) => [name, reduction])),
  ArgMax: argument,
  ArgMin: argument,
};
