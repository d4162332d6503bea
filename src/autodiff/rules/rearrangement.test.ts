import { describe } from "vitest";
import { checkGradients } from "../../../test/support/gradient-check.ts";
import { given, normal, type OperatorCase } from "../../../test/support/operator-case.ts";
import { int, int64, operators as op, type Value } from "../../onnx/index.ts";
import { REARRANGEMENT_GRADIENTS } from "./rearrangement.ts";

type Unary = (x: Value) => Value | readonly Value[];
type Table = readonly (readonly [title: string, dims: readonly number[], build: Unary])[];

const table = (operator: string, entries: Table): OperatorCase[] =>
  entries.map(([title, dims, build]) => ({ operator, title, operands: [normal(dims)], build }));

const asFloat = (x: Value): Value => op.cast(x, "float32");
const node = (operator: string, ...operands: (Value | undefined)[]): Value =>
  operands[0]!.builder.node(operator, operands)[0]!;

const RESHAPES = [
  ...table("Reshape", [
    ["a known shape", [2, 6], (x) => op.reshape(x, [3, 4])],
    ["0 and -1", [2, 3, 4], (x) => op.reshape(x, [0, -1])],
    ["to a scalar", [1, 1], (x) => op.reshape(x, [])],
  ]),
  ...table("Flatten", [
    ["axis 1", [2, 3, 2], (x) => op.flatten(x)],
    ["axis 0", [2, 3], (x) => op.flatten(x, 0)],
    ["axis -1", [2, 3, 2], (x) => op.flatten(x, -1)],
  ]),
  ...table("Squeeze", [
    ["named axes", [1, 3, 1, 2], (x) => op.squeeze(x, [0, -2])],
    ["every axis of one", [1, 3, 1], (x) => node("Squeeze", x)],
  ]),
  ...table("Unsqueeze", [["both ends", [3, 2], (x) => op.unsqueeze(x, [0, -1])]]),
  ...table("Transpose", [
    ["two axes", [2, 3], (x) => op.transpose(x, [1, 0])],
    ["a cycle", [2, 3, 4], (x) => op.transpose(x, [2, 0, 1])],
    ["reversed by default", [2, 3, 2], (x) => node("Transpose", x)],
  ]),
  ...table("Expand", [
    ["axes of one", [2, 1, 3, 1], (x) => op.expand(x, [2, 4, 3, 2])],
    ["new axes", [3, 1], (x) => op.expand(x, [2, 3, 2])],
    ["a smaller shape than its own", [2, 3], (x) => op.expand(x, [1, 3])],
    ["a scalar", [], (x) => op.expand(x, [2, 2])],
  ]),
  ...table("Tile", [
    ["two axes", [2, 3], (x) => op.tile(x, [2, 3])],
    ["one axis", [2, 1, 2], (x) => op.tile(x, [1, 3, 1])],
  ]),
];

const PARTS: readonly OperatorCase[] = [
  {
    operator: "Concat",
    title: "three parts of unequal size",
    operands: [normal([2, 1]), normal([2, 3]), normal([2, 2])],
    build: (a, b, c) => op.concat([a!, b!, c!], 1),
  },
  {
    operator: "Concat",
    title: "a negative axis",
    operands: [normal([1, 2, 2]), normal([1, 3, 2])],
    build: (a, b) => op.concat([a!, b!], -2),
  },
  {
    operator: "Concat",
    title: "one value twice",
    operands: [normal([2, 2])],
    build: (a) => op.concat([a!, a!], 0),
  },
  ...table("Split", [
    ["three sizes", [2, 6], (x) => op.split(x, [1, 2, 3], 1)],
    ["a negative axis", [4, 2], (x) => op.split(x, [1, 3], -2)],
    [
      "into a number of parts, the last one smaller",
      [2, 7],
      (x) => x.builder.node("Split", [x], { axis: int(1), num_outputs: int(3) }, { outputs: 3 }),
    ],
    ["a part that nothing uses", [5, 2], (x) => [op.split(x, [1, 2, 2], 0)[1]!]],
    [
      "parts that are used more than once",
      [4],
      (x) => {
        const [a, b] = op.split(x, [2, 2], 0);
        return op.mul(op.mul(a!, b!), a!);
      },
    ],
  ]),
  ...table("Slice", [
    ["the middle", [5, 4], (x) => op.slice(x, [{ axis: 0, start: 1, end: 4 }])],
    [
      "two axes from the end",
      [4, 5],
      (x) =>
        op.slice(x, [
          { axis: -1, start: -3, end: -1 },
          { axis: 0, start: 2, end: 9 },
        ]),
    ],
    ["every second", [7, 2], (x) => op.slice(x, [{ axis: 0, start: 1, end: 7, step: 2 }])],
    ["every third, a remainder", [8], (x) => op.slice(x, [{ axis: 0, start: 0, end: 8, step: 3 }])],
    [
      "reversed",
      [4, 3],
      (x) => op.slice(x, [{ axis: 0, start: -1, end: Number.MIN_SAFE_INTEGER, step: -1 }]),
    ],
    [
      "backwards in steps of two",
      [2, 7],
      (x) => op.slice(x, [{ axis: 1, start: 5, end: 0, step: -2 }]),
    ],
    [
      "backwards and forwards",
      [6, 6],
      (x) =>
        op.slice(x, [
          { axis: 0, start: 5, end: 1, step: -3 },
          { axis: 1, start: 1, end: 6, step: 2 },
        ]),
    ],
    [
      "axes left out",
      [4, 4],
      (x) => node("Slice", x, x.builder.integers([1, 0]), x.builder.integers([3, 2])),
    ],
  ]),
];

const PADS = table("Pad", [
  ["zeros", [2, 3], (x) => op.pad(x, [1, 0, 2, 3])],
  ["a constant", [2, 3], (x) => op.pad(x, [1, 1, 0, 2], { value: 2.5 })],
  ["a crop", [5, 4], (x) => op.pad(x, [-1, -2, -1, 0])],
  ["a crop on one side, zeros on the other", [4, 4], (x) => op.pad(x, [-1, 2, 2, -1])],
  ["reflect", [4, 3], (x) => op.pad(x, [2, 1, 3, 2], { mode: "reflect" })],
  ["edge", [3, 3], (x) => op.pad(x, [2, 1, 3, 2], { mode: "edge" })],
  ["reflect at one end only", [4, 3], (x) => op.pad(x, [0, 2, 3, 0], { mode: "reflect" })],
  [
    "edge at one end, a crop at the other",
    [4, 3],
    (x) => op.pad(x, [-1, 2, 2, -1], { mode: "edge" }),
  ],
  ["wrap", [3, 4], (x) => op.pad(x, [2, 1, 3, 2], { mode: "wrap" })],
  [
    "images, reflect",
    [1, 2, 3, 3],
    (x) => op.pad(x, [0, 0, 1, 2, 0, 0, 2, 1], { mode: "reflect" }),
  ],
  [
    "named axes",
    [2, 3, 2],
    (x) => node("Pad", x, x.builder.integers([1, 2]), undefined, x.builder.integers([-2])),
  ],
]);

const constantIndices = (x: Value, dims: readonly number[], values: readonly number[]): Value =>
  x.builder.constant(int64(dims, values));

const GATHERS: readonly OperatorCase[] = [
  ...table("Gather", [
    [
      "repeated constant indices",
      [4, 3],
      (x) => op.gather(x, constantIndices(x, [5], [2, 0, 2, 3, 2])),
    ],
    [
      "negative constant indices along the last axis",
      [2, 4],
      (x) => op.gather(x, constantIndices(x, [2, 2], [-1, 0, -2, -1]), -1),
    ],
    ["a scalar index", [3, 2], (x) => op.gather(x, constantIndices(x, [], [1]))],
    ["a range of indices", [2, 6, 2], (x) => op.gather(x, constantIndices(x, [3], [2, 3, 4]), 1)],
    ["a range from a negative index", [4], (x) => op.gather(x, constantIndices(x, [2], [-3, 2]))],
  ]),
  {
    operator: "Gather",
    title: "indices that are computed at run time",
    operands: [normal([4, 3]), given("int64", [2, 2], [3, 1, 1, 0])],
    build: (x, indices) => op.gather(x!, indices!),
  },
  {
    operator: "Gather",
    title: "negative indices that are computed at run time",
    operands: [normal([2, 3, 2]), given("int64", [4], [-1, 0, -1, 1])],
    build: (x, indices) => op.gather(x!, indices!, 1),
  },
];

const BLOCKS = [
  ...table("DepthToSpace", [
    ["DCR", [1, 8, 2, 3], (x) => op.depthToSpace(x, 2)],
    ["CRD", [2, 8, 2, 1], (x) => op.depthToSpace(x, 2, "CRD")],
    ["CRD, blocks of three", [1, 9, 1, 2], (x) => op.depthToSpace(x, 3, "CRD")],
  ]),
  ...table("SpaceToDepth", [
    ["blocks of two", [2, 2, 4, 2], (x) => op.spaceToDepth(x, 2)],
    ["blocks of three", [1, 1, 3, 6], (x) => op.spaceToDepth(x, 3)],
  ]),
];

/** What only looks at a shape passes no gradient on. */
const SHAPES: readonly OperatorCase[] = [
  ...table("Shape", [
    ["blocks the gradient", [2, 3], (x) => op.mul(op.reduceSum(asFloat(op.shapeOf(x))), x)],
  ]),
  ...table("Size", [["blocks the gradient", [2, 3], (x) => op.mul(asFloat(node("Size", x)), x)]]),
  ...table("ConstantOfShape", [
    ["blocks the gradient", [2, 3], (x) => op.add(node("ConstantOfShape", op.shapeOf(x)), x)],
  ]),
  {
    operator: "Range",
    title: "blocks the gradient",
    operands: [normal([3])],
    build: (x) => {
      const [zero, one] = [x!.builder.scalar(0), x!.builder.scalar(1)];
      const limit = op.add(
        op.mul(op.reduceMax(x!, { keepsDims: false }), zero),
        x!.builder.scalar(3),
      );
      return op.mul(
        x!.builder.node(
          "Range",
          [zero, limit, one],
          {},
          {
            results: [{ type: "float32", shape: [3] }],
          },
        )[0]!,
        x!,
      );
    },
  },
];

const CASES: readonly OperatorCase[] = [
  ...RESHAPES,
  ...PARTS,
  ...PADS,
  ...GATHERS,
  ...BLOCKS,
  ...SHAPES,
];

describe("gradients of rearrangements", () => {
  checkGradients(REARRANGEMENT_GRADIENTS, CASES);
});
