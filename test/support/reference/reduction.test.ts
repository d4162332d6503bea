import { describe } from "vitest";
import { int, type Value } from "../../../src/onnx/index.ts";
import { given, nonZero, type OperatorCase } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { REDUCTION_KERNELS } from "./reduction.ts";

const reduced = (operator: string, x: Value, axes?: readonly number[], keepdims = 1): Value =>
  x.builder.node(operator, [x, axes && x.builder.integers(axes)], { keepdims: int(keepdims) })[0]!;

const reductions = Object.keys(REDUCTION_KERNELS).filter((operator) => !operator.startsWith("Arg"));

const CASES: readonly OperatorCase[] = [
  ...reductions.flatMap((operator): OperatorCase[] => [
    {
      operator,
      title: "axes in any order, kept and dropped",
      operands: [nonZero([2, 3, 2])],
      build: (x) => [
        reduced(operator, x!, [-1, 0]),
        reduced(operator, x!, [1], 0),
        reduced(operator, x!),
      ],
    },
    {
      operator,
      title: "no axes, which reduces nothing",
      operands: [nonZero([2, 3])],
      build: (x) => x!.builder.node(operator, [x], { noop_with_empty_axes: int(1) })[0]!,
    },
  ]),
  ...["ArgMax", "ArgMin"].map(
    (operator): OperatorCase => ({
      operator,
      title: "ties go to the first",
      operands: [given("float32", [2, 4], [1, 3, 3, 0, 2, 0, 0, 2])],
      build: (...[x]: Value[]) => [
        x!.builder.node(operator, [x], { axis: int(-1), keepdims: int(0) })[0]!,
        x!.builder.node(operator, [x], { axis: int(0) })[0]!,
      ],
    }),
  ),
];

describe("reduction kernels", () => {
  checkAgainstRuntime(REDUCTION_KERNELS, CASES);
});
