import { describe, expect, it } from "vitest";
import { checkGradients, checkKinks, gradientGraph } from "../../../test/support/gradient-check.ts";
import { distinct, normal, type OperatorCase } from "../../../test/support/operator-case.ts";
import { float32, operators as op, type Value } from "../../onnx/index.ts";
import { POOLING_GRADIENTS } from "./pooling.ts";

type Window = Parameters<typeof op.averagePool>[1];

const WINDOWS: readonly (readonly [string, readonly number[], Window])[] = [
  ["2x2, stride 2", [2, 2, 4, 6], { kernel: [2, 2], strides: [2, 2] }],
  ["2x2, stride 2, a remainder", [1, 2, 5, 5], { kernel: [2, 2], strides: [2, 2] }],
  ["2x2, stride 1", [1, 2, 4, 4], { kernel: [2, 2] }],
  ["3x3, stride 2, overlapping", [1, 2, 7, 6], { kernel: [3, 3], strides: [2, 2] }],
  ["2x2, stride 3, with gaps", [1, 2, 8, 8], { kernel: [2, 2], strides: [3, 3] }],
  ["3x3, stride 2, padded", [1, 2, 6, 6], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  [
    "2x2, stride 2, padded, apart",
    [1, 2, 4, 4],
    { kernel: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1] },
  ],
  ["asymmetric padding", [1, 2, 5, 4], { kernel: [3, 2], strides: [1, 2], pads: [0, 1, 2, 0] }],
  ["ceil_mode", [1, 2, 5, 5], { kernel: [2, 2], strides: [2, 2], isCeil: true }],
  ["ceil_mode, overlapping", [1, 2, 6, 7], { kernel: [3, 3], strides: [2, 2], isCeil: true }],
  [
    "ceil_mode, padded",
    [1, 1, 6, 5],
    { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], isCeil: true },
  ],
  ["SAME_UPPER", [1, 2, 5, 4], { kernel: [3, 2], strides: [2, 2], autoPad: "SAME_UPPER" }],
  ["SAME_LOWER", [1, 2, 5, 4], { kernel: [2, 3], strides: [2, 2], autoPad: "SAME_LOWER" }],
  ["VALID", [1, 2, 5, 5], { kernel: [2, 2], strides: [2, 1], autoPad: "VALID" }],
  ["dilated", [1, 2, 6, 6], { kernel: [2, 2], dilations: [2, 3] }],
  [
    "dilated, strided, padded",
    [1, 1, 7, 7],
    { kernel: [2, 3], dilations: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1] },
  ],
  ["as large as the image", [2, 2, 3, 3], { kernel: [3, 3] }],
  ["one dimension", [2, 2, 7], { kernel: [3], strides: [2], pads: [1, 0] }],
  ["three dimensions", [1, 2, 4, 3, 4], { kernel: [2, 2, 2], strides: [2, 1, 2] }],
];

const CASES: readonly OperatorCase[] = [
  ...WINDOWS.map(
    ([title, dims, window]): OperatorCase => ({
      operator: "MaxPool",
      title,
      operands: [distinct(dims)],
      build: (x) => op.maxPool(x!, window),
    }),
  ),
  ...WINDOWS.flatMap(([title, dims, window]) =>
    [false, true].map(
      (countsPadding): OperatorCase => ({
        operator: "AveragePool",
        title: `${title}${countsPadding ? ", counting the padding" : ""}`,
        operands: [normal(dims)],
        build: (x) => op.averagePool(x!, { ...window, countsPadding }),
      }),
    ),
  ),
  ...[
    [2, 3, 4, 5],
    [2, 3, 6],
    [1, 2, 2, 3, 2],
    [2, 2, 1, 1],
  ].flatMap((dims): OperatorCase[] => [
    {
      operator: "GlobalAveragePool",
      title: `[${dims}]`,
      operands: [normal(dims)],
      build: (x) => op.globalAveragePool(x!),
    },
    {
      operator: "GlobalMaxPool",
      title: `[${dims}]`,
      operands: [distinct(dims)],
      build: (x) => op.globalMaxPool(x!),
    },
  ]),
];

/** The operators of a MaxPool and its gradient. */
function operatorsOf(dims: readonly number[], window: Window): string[] {
  const build = (x?: Value) => op.maxPool(x!, window);
  const entry = { operator: "MaxPool", title: "structure", operands: [distinct(dims)], build };
  return gradientGraph(entry).graph.nodes.map((node) => node.operator);
}

describe("gradients of pooling", () => {
  checkGradients(POOLING_GRADIENTS, CASES);
  checkKinks([
    {
      title: "MaxPool's gradient goes to the first of equal maxima",
      at: [float32([1, 1, 2, 4], [1, 1, 0, 2, 1, 0, 2, 2])],
      build: (x) => op.maxPool(x, { kernel: [2, 2], strides: [2, 2] }),
      chosen: [[1, 0, 0, 1, 0, 0, 0, 0]],
    },
    {
      title: "overlapping windows of MaxPool add up at the first maximum of each",
      at: [float32([1, 1, 1, 4], [3, 3, 3, 1])],
      build: (x) => op.maxPool(x, { kernel: [1, 2] }),
      chosen: [[1, 1, 1, 0]],
    },
    {
      title: "GlobalMaxPool's gradient is shared by equal maxima",
      at: [float32([1, 1, 2, 2], [4, 1, 4, 4])],
      build: (x) => op.mul(op.globalMaxPool(x), x.builder.scalar(3)),
      chosen: [[1, 0, 1, 1]],
    },
  ]);

  // MaxUnpool is the fast way back; adding up by ScatterElements is needed only where windows overlap.
  it("unpools where windows lie apart and scatters where they overlap", () => {
    const apart = operatorsOf([1, 2, 5, 4], { kernel: [2, 2], strides: [2, 2] });
    expect(apart).toContain("MaxUnpool");
    expect(apart).not.toContain("ScatterElements");
    const overlapping = operatorsOf([1, 2, 5, 4], { kernel: [3, 2], strides: [2, 2] });
    expect(overlapping).toContain("ScatterElements");
    expect(overlapping).not.toContain("MaxUnpool");
  });
});
