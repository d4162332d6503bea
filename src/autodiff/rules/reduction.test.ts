import { describe } from "vitest";
import { checkGradients, checkKinks } from "../../../test/support/gradient-check.ts";
import {
  distinct,
  nonZero,
  type Operand,
  type OperatorCase,
} from "../../../test/support/operator-case.ts";
import { float32, int, operators as op, type Value } from "../../onnx/index.ts";
import { REDUCTION_GRADIENTS } from "./reduction.ts";

interface Form {
  readonly title: string;
  readonly dims: readonly number[];
  readonly axes?: readonly number[];
  readonly keepsDims?: boolean;
}

const FORMS: readonly Form[] = [
  { title: "everything, to a scalar", dims: [2, 3, 2], keepsDims: false },
  { title: "everything, keeping dimensions", dims: [2, 3] },
  { title: "the last axis", dims: [2, 3, 2], axes: [2] },
  {
    title: "the last axis counted from the end, dropped",
    dims: [2, 3, 2],
    axes: [-1],
    keepsDims: false,
  },
  { title: "the first axis, dropped", dims: [3, 2], axes: [0], keepsDims: false },
  { title: "two axes apart, dropped", dims: [2, 3, 2], axes: [0, 2], keepsDims: false },
  { title: "two axes out of order", dims: [2, 3, 2], axes: [-1, 1] },
  { title: "an axis of one", dims: [2, 1, 3], axes: [1], keepsDims: false },
  { title: "a vector", dims: [5], axes: [0], keepsDims: false },
];

function reductions(
  operator: string,
  draw: (dims: readonly number[]) => Operand = nonZero,
): OperatorCase[] {
  const table = FORMS.map(({ title, dims, axes, keepsDims = true }) => ({
    operator,
    title,
    operands: [draw(dims)],
    build: (x: Value) =>
      x.builder.node(operator, [x, axes ? x.builder.integers(axes) : undefined], {
        keepdims: int(keepsDims ? 1 : 0),
      })[0]!,
  }));
  const noop: OperatorCase = {
    operator,
    title: "no axes, which reduces nothing",
    operands: [draw([2, 3])],
    build: (x) => x.builder.node(operator, [x], { noop_with_empty_axes: int(1) })[0]!,
  };
  return [...table, noop];
}

const CASES: readonly OperatorCase[] = [
  ...reductions("ReduceSum"),
  ...reductions("ReduceMean"),
  ...reductions("ReduceSumSquare"),
  ...reductions("ReduceL1"),
  ...reductions("ReduceL2"),
  ...reductions("ReduceMax", distinct),
  ...reductions("ReduceMin", distinct),
];

describe("gradients of reductions", () => {
  checkGradients(REDUCTION_GRADIENTS, CASES);
  checkKinks([
    {
      title: "maxima that tie share the gradient",
      at: [float32([2, 3], [1, 5, 5, 2, 1, 0])],
      build: (x) => op.reduceMax(x, { axes: [1] }),
      chosen: [[0, 0.5, 0.5, 1, 0, 0]],
    },
    {
      title: "minima that tie share the gradient",
      at: [float32([4], [1, 1, 1, 1])],
      build: (x) => op.reduceMin(x, { keepsDims: false }),
      chosen: [[0.25, 0.25, 0.25, 0.25]],
    },
    {
      title: "the L2 norm of zeros has slope 0",
      at: [float32([2, 2], [0, 0, -2, 0])],
      build: (x) => op.reduceL2(x, { axes: [1] }),
      chosen: [[0, 0, -1, 0]],
    },
  ]);
});
