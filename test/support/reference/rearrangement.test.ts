import { describe } from "vitest";
import { float32, int, int64, operators as op, type Value } from "../../../src/onnx/index.ts";
import { given, normal, type OperatorCase } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { REARRANGEMENT_KERNELS } from "./rearrangement.ts";

const node = (operator: string, ...operands: (Value | undefined)[]): Value =>
  operands[0]!.builder.node(operator, operands)[0]!;

type Unary = (x: Value) => Value | readonly Value[];
const one = (operator: string, title: string, dims: readonly number[], build: Unary) =>
  ({ operator, title, operands: [normal(dims)], build: (...[x]) => build(x!) }) as OperatorCase;

const MOVES: readonly OperatorCase[] = [
  one("Reshape", "0 and -1", [2, 3, 4], (x) => op.reshape(x, [0, -1])),
  one("Flatten", "any axis", [2, 3, 2], (x) => [
    op.flatten(x),
    op.flatten(x, 0),
    op.flatten(x, -1),
  ]),
  one("Squeeze", "named axes and all", [1, 3, 1], (x) => [op.squeeze(x, [-1]), node("Squeeze", x)]),
  one("Unsqueeze", "both ends", [3, 2], (x) => op.unsqueeze(x, [0, -1])),
  one("Transpose", "a cycle and the default", [2, 3, 4], (x) => [
    op.transpose(x, [2, 0, 1]),
    node("Transpose", x),
  ]),
  one("Expand", "axes of one and new axes", [3, 1], (x) => [
    op.expand(x, [2, 3, 2]),
    op.expand(x, [1, 4]),
  ]),
  one("Tile", "two axes", [2, 3], (x) => op.tile(x, [2, 3])),
  one("Split", "sizes and equal parts with a remainder", [2, 7], (x) => [
    ...op.split(x, [1, 2, 4], -1),
    ...x.builder.node(
      "Split",
      [x],
      { axis: int(1), num_outputs: int(4) },
      {
        outputs: 4,
        results: [2, 2, 2, 1].map((size) => ({ type: "float32", shape: [2, size] })),
      },
    ),
  ]),
  one("Slice", "forwards, backwards, beyond the ends", [6, 5], (x) => [
    op.slice(x, [{ axis: -1, start: -4, end: 99, step: 2 }]),
    op.slice(x, [
      { axis: 0, start: 9, end: -99, step: -2 },
      { axis: 1, start: 3, end: 0, step: -1 },
    ]),
    op.slice(x, [{ axis: 0, start: 2, end: 2 }]),
  ]),
  one("Pad", "every mode", [3, 4], (x) => [
    op.pad(x, [1, 0, 2, 3], { value: 2.5 }),
    op.pad(x, [-1, 2, 1, -2]),
    op.pad(x, [2, 1, 1, 3], { mode: "reflect" }),
    op.pad(x, [2, 1, 4, 3], { mode: "edge" }),
    op.pad(x, [2, 1, 3, 3], { mode: "wrap" }),
    node("Pad", x, x.builder.integers([1, 2]), undefined, x.builder.integers([-1])),
  ]),
  one("DepthToSpace", "both orders", [2, 8, 2, 3], (x) => [
    op.depthToSpace(x, 2),
    op.depthToSpace(x, 2, "CRD"),
  ]),
  one("SpaceToDepth", "blocks of two", [1, 3, 4, 2], (x) => op.spaceToDepth(x, 2)),
  one("Shape", "a matrix", [2, 3], op.shapeOf),
  one("Size", "a matrix", [2, 3], (x) => node("Size", x)),
];

const MADE: readonly OperatorCase[] = [
  {
    operator: "Concat",
    title: "a negative axis",
    operands: [normal([2, 1]), normal([2, 3])],
    build: (a, b) => op.concat([a!, b!], -1),
  },
  {
    operator: "Range",
    title: "int64 downwards",
    operands: [given("int64", [], [7])],
    build: (start) => {
      const scalar = (value: number) => start!.builder.constant(int64([], [value]));
      return start!.builder.node(
        "Range",
        [start, scalar(-2), scalar(-3)],
        {},
        {
          results: [{ type: "int64", shape: [3] }],
        },
      )[0]!;
    },
  },
  {
    operator: "ConstantOfShape",
    title: "zeros by default, else the value",
    operands: [normal([2, 3])],
    build: (x) => [
      node("ConstantOfShape", op.shapeOf(x!)),
      x!.builder.node("ConstantOfShape", [op.shapeOf(x!)], {
        value: { kind: "tensor", value: int64([1], [4]) },
      })[0]!,
    ],
  },
  {
    operator: "Constant",
    title: "a tensor",
    operands: [normal([2])],
    build: (x) =>
      op.add(
        x!,
        x!.builder.node("Constant", [], {
          value: { kind: "tensor", value: float32([2], [1, 2]) },
        })[0]!,
      ),
  },
];

describe("rearrangement kernels", () => {
  checkAgainstRuntime(REARRANGEMENT_KERNELS, [...MOVES, ...MADE]);
});
