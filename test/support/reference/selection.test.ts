import { describe } from "vitest";
import { operators as op, type Value } from "../../../src/onnx/index.ts";
import { given, normal, type OperatorCase } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { SELECTION_KERNELS } from "./selection.ts";

const CASES: readonly OperatorCase[] = [
  {
    operator: "Gather",
    title: "a matrix of indices, some negative",
    operands: [normal([2, 3, 2]), given("int64", [2, 2], [-1, 0, 2, 0])],
    build: (x, indices) => [op.gather(x!, indices!, 1), op.gather(x!, op.sign(indices!), -1)],
  },
  {
    operator: "Gather",
    title: "a scalar index into int64",
    operands: [given("int64", [3], [5, 6, 7]), given("int64", [], [1])],
    build: (x, index) => op.gather(x!, index!),
  },
  {
    operator: "GatherElements",
    title: "negative indices",
    operands: [normal([3, 2]), given("int64", [2, 2], [-1, 0, 1, 2])],
    build: (x, indices) => op.gatherElements(x!, indices!, 0),
  },
  ...(["none", "add"] as const).flatMap((reduction): OperatorCase[] => [
    {
      operator: "ScatterElements",
      title: reduction,
      operands: [
        normal([3, 2]),
        given("int64", [2, 2], reduction === "add" ? [0, -1, 0, 2] : [0, -1, 1, 0]),
        normal([2, 2]),
      ],
      build: (...[x, indices, updates]: Value[]) =>
        op.scatterElements(x!, indices!, updates!, { axis: 0, reduction }),
    },
    {
      operator: "ScatterND",
      title: `rows, ${reduction}`,
      operands: [
        normal([3, 2]),
        given("int64", [2, 1], reduction === "add" ? [2, 2] : [2, 0]),
        normal([2, 2]),
      ],
      build: (...[x, indices, updates]: Value[]) => op.scatterND(x!, indices!, updates!, reduction),
    },
    {
      operator: "ScatterND",
      title: `elements, ${reduction}`,
      operands: [
        normal([3, 2]),
        given("int64", [2, 2], reduction === "add" ? [1, 1, 1, 1] : [0, 1, 2, 0]),
        normal([2]),
      ],
      build: (...[x, indices, updates]: Value[]) => op.scatterND(x!, indices!, updates!, reduction),
    },
  ]),
];

describe("selection kernels", () => {
  checkAgainstRuntime(SELECTION_KERNELS, CASES);
});
