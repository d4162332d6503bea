/** Gradients of matrix products. */
import {
  floatOf,
  intOf,
  operators as op,
  staticShape,
  stringOf,
  type Value,
} from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

function swapLast(x: Value): Value {
  const rank = x.shape.length;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return op.transpose(x, [...order.slice(0, -2), rank - 1, rank - 2]);
}

/** dA = dY B^T, dB = A^T dY; vectors are treated as a row and a column. */
const matMul: GradientRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)];
  const isRow = a.shape.length === 1;
  const isColumn = b.shape.length === 1;
  const left = isRow ? op.unsqueeze(a, [0]) : a;
  const right = isColumn ? op.unsqueeze(b, [1]) : b;
  let { gradient } = context;
  if (isColumn) gradient = op.unsqueeze(gradient, [-1]);
  if (isRow) gradient = op.unsqueeze(gradient, [-2]);
  const toOperand = (value: Value, isVector: boolean, axis: number) =>
    isVector ? op.squeeze(value, [axis]) : value;
  return [
    context.needs(0) ? toOperand(op.matMul(gradient, swapLast(right)), isRow, -2) : undefined,
    context.needs(1) ? toOperand(rightGradient(left, right, gradient), isColumn, -1) : undefined,
  ];
};

/** A^T dY. Where B is one matrix for the whole batch, one product over all rows instead of many. */
function rightGradient(left: Value, right: Value, gradient: Value): Value {
  if (right.shape.length > 2 || left.shape.length === 2) return op.matMul(swapLast(left), gradient);
  const [inner, outer] = [staticShape(left).at(-1)!, staticShape(gradient).at(-1)!];
  const rows = op.reshape(left, [-1, inner]);
  return op.gemm(rows, op.reshape(gradient, [-1, outer]), undefined, { transA: true });
}

/** Y = alpha A' B' + beta C with A' = A or A^T: dA' = alpha dY B'^T, dB' = alpha A'^T dY, dC = beta dY. */
const gemm: GradientRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)];
  const isA = intOf(context.attributes, "transA", 0) === 1;
  const isB = intOf(context.attributes, "transB", 0) === 1;
  const alpha = floatOf(context.attributes, "alpha", 1);
  const beta = floatOf(context.attributes, "beta", 1);
  const scale = alpha === 1 ? {} : { alpha };
  const { gradient } = context;
  const first = () =>
    isA
      ? op.gemm(b, gradient, undefined, { transA: isB, transB: true, ...scale })
      : op.gemm(gradient, b, undefined, { transB: !isB, ...scale });
  const second = () =>
    isB
      ? op.gemm(gradient, a, undefined, { transA: true, transB: isA, ...scale })
      : op.gemm(a, gradient, undefined, { transA: !isA, ...scale });
  return [
    context.needs(0) ? first() : undefined,
    context.needs(1) ? second() : undefined,
    context.needs(2)
      ? beta === 1
        ? gradient
        : op.mul(gradient, context.builder.scalar(beta))
      : undefined,
  ];
};

/** The gradient of one operand of a two-operand Einsum is an Einsum of dY with the other. */
const einsum: GradientRule = (context) => {
  const equation = stringOf(context.attributes, "equation", "").replaceAll(" ", "");
  const [left = "", output] = equation.split("->");
  const terms = left.split(",");
  const isPlain =
    output !== undefined &&
    terms.length <= 2 &&
    [...terms, output].every((term) => new Set(term).size === term.length);
  if (!isPlain)
    context.unsupported(`equation "${equation}" is not a plain product of two operands`);
  return terms.map((term, index) => {
    if (!context.needs(index)) return undefined;
    const other = terms[1 - index];
    return einsumGradient(context, { term, index, other: other ?? "", output: output! });
  });
};

interface EinsumTerm {
  readonly term: string;
  readonly index: number;
  readonly other: string;
  readonly output: string;
}

/** Labels that only this operand has were summed away: they come back by broadcasting. */
function einsumGradient(
  context: GradientContext,
  { term, index, other, output }: EinsumTerm,
): Value {
  const operand = context.input(index);
  const kept = [...term].filter((label) => output.includes(label) || other.includes(label));
  const gradient =
    other === ""
      ? op.einsum(`${output}->${kept.join("")}`, context.gradient)
      : op.einsum(
          `${output},${other}->${kept.join("")}`,
          context.gradient,
          context.input(1 - index),
        );
  if (kept.length === term.length) return gradient;
  const sizes = staticShape(operand);
  const apart = [...term].map((label, axis) => (kept.includes(label) ? sizes[axis]! : 1));
  return op.expand(op.reshape(gradient, apart), sizes);
}

export const CONTRACTION_GRADIENTS: GradientTable = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
