import { describe } from "vitest";
import { operators as op, type Value } from "../../../src/onnx/index.ts";
import { distinct, normal, type OperatorCase } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { CONVOLUTION_KERNELS } from "./convolution.ts";

type ConvForm = readonly [
  title: string,
  x: readonly number[],
  weight: readonly number[],
  options: NonNullable<Parameters<typeof op.convTranspose>[3]>,
];
type PoolForm = readonly [string, readonly number[], Parameters<typeof op.averagePool>[1]];

const CONVOLUTIONS: readonly ConvForm[] = [
  [
    "strides, asymmetric padding",
    [2, 2, 6, 5],
    [3, 2, 3, 2],
    { strides: [2, 1], pads: [0, 1, 2, 0] },
  ],
  ["dilations", [1, 2, 7, 6], [2, 2, 3, 2], { dilations: [2, 3] }],
  ["groups", [1, 4, 4, 4], [6, 2, 3, 3], { group: 2 }],
  ["depthwise with a multiplier", [1, 2, 4, 4], [4, 1, 2, 2], { group: 2 }],
  ["SAME_UPPER", [1, 2, 5, 6], [2, 2, 3, 2], { autoPad: "SAME_UPPER", strides: [2, 2] }],
  ["SAME_LOWER", [1, 2, 5, 6], [2, 2, 3, 2], { autoPad: "SAME_LOWER", strides: [2, 2] }],
  ["VALID", [1, 2, 5, 6], [2, 2, 3, 2], { autoPad: "VALID", strides: [2, 1] }],
  ["one dimension", [2, 2, 6], [2, 2, 3], { pads: [1, 2] }],
  ["three dimensions", [1, 2, 3, 4, 3], [2, 2, 2, 3, 2], { strides: [1, 1, 2] }],
];

const TRANSPOSED: readonly ConvForm[] = [
  [
    "strides, asymmetric padding",
    [1, 2, 3, 4],
    [2, 2, 3, 3],
    { strides: [2, 1], pads: [0, 1, 1, 0] },
  ],
  [
    "output padding",
    [1, 2, 3, 3],
    [2, 2, 3, 3],
    { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 0] },
  ],
  ["dilations", [1, 2, 3, 3], [2, 2, 2, 3], { dilations: [2, 2], strides: [2, 2] }],
  ["groups", [1, 4, 3, 3], [4, 3, 2, 2], { group: 2, strides: [2, 2] }],
  ["SAME_UPPER", [1, 2, 3, 3], [2, 2, 3, 2], { strides: [2, 2], autoPad: "SAME_UPPER" }],
  ["SAME_LOWER", [1, 2, 3, 3], [2, 2, 4, 3], { strides: [2, 2], autoPad: "SAME_LOWER" }],
  ["one dimension", [2, 2, 4], [2, 2, 3], { strides: [2] }],
];

const POOLS: readonly PoolForm[] = [
  ["overlapping, padded", [1, 2, 6, 7], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["asymmetric padding", [1, 2, 5, 4], { kernel: [3, 2], strides: [1, 2], pads: [0, 1, 2, 0] }],
  ["ceil_mode", [1, 2, 6, 7], { kernel: [3, 3], strides: [2, 2], isCeil: true }],
  [
    "ceil_mode, padded",
    [1, 1, 6, 5],
    { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], isCeil: true },
  ],
  [
    "ceil_mode, no window that starts in the padding",
    [1, 1, 4, 4],
    { kernel: [1, 2], strides: [3, 3], pads: [0, 1, 0, 1], isCeil: true },
  ],
  ["SAME_UPPER", [1, 2, 5, 4], { kernel: [3, 2], strides: [2, 2], autoPad: "SAME_UPPER" }],
  ["SAME_LOWER", [1, 2, 5, 4], { kernel: [2, 3], strides: [2, 2], autoPad: "SAME_LOWER" }],
  ["dilations", [1, 2, 6, 6], { kernel: [2, 2], dilations: [2, 3] }],
  ["one dimension", [2, 2, 7], { kernel: [3], strides: [2], pads: [1, 0] }],
  ["three dimensions", [1, 2, 4, 3, 4], { kernel: [2, 2, 2], strides: [2, 1, 2] }],
];

const convolved = (
  operator: string,
  forms: readonly ConvForm[],
  build: typeof op.conv | typeof op.convTranspose,
  outputs: (form: ConvForm) => number,
): OperatorCase[] =>
  forms.map((form) => ({
    operator,
    title: form[0],
    operands: [normal(form[1]), normal(form[2]), normal([outputs(form)])],
    build: (...[x, weight, bias]: Value[]) => build(x!, weight!, bias, form[3]),
  }));

const CASES: readonly OperatorCase[] = [
  ...convolved("Conv", CONVOLUTIONS, op.conv, ([, , weight]) => weight[0]!),
  ...convolved(
    "ConvTranspose",
    TRANSPOSED,
    op.convTranspose,
    ([, , weight, { group = 1 }]) => weight[1]! * group,
  ),
  ...POOLS.map(
    ([title, dims, window]): OperatorCase => ({
      operator: "MaxPool",
      title: `${title}, with indices`,
      operands: [normal(dims)],
      build: (...[x]: Value[]) => Object.values(op.maxPoolWithIndices(x!, window)),
    }),
  ),
  ...POOLS.flatMap(([title, dims, window]) =>
    [false, true].map(
      (countsPadding): OperatorCase => ({
        operator: "AveragePool",
        title: `${title}${countsPadding ? ", counting the padding" : ""}`,
        operands: [normal(dims)],
        build: (...[x]: Value[]) => op.averagePool(x!, { ...window, countsPadding }),
      }),
    ),
  ),
  {
    operator: "MaxPool",
    title: "ties go to the first",
    operands: [normal([1, 1, 2, 4])],
    build: (x) =>
      Object.values(
        op.maxPoolWithIndices(op.sign(op.relu(x!)), { kernel: [2, 2], strides: [2, 2] }),
      ),
  },
  {
    operator: "MaxUnpool",
    title: "back to where the maxima were",
    operands: [distinct([1, 2, 5, 4])],
    build: (x) => {
      const window = { kernel: [2, 2], strides: [2, 2] };
      const { maxima, indices } = op.maxPoolWithIndices(x!, window);
      return op.maxUnpool(maxima, indices, [1, 2, 5, 4], window);
    },
  },
  {
    operator: "GlobalMaxPool",
    title: "images and volumes",
    operands: [normal([2, 3, 4, 2]), normal([1, 2, 2, 2, 3])],
    build: (...values) => values.map(op.globalMaxPool),
  },
  {
    operator: "GlobalAveragePool",
    title: "images and volumes",
    operands: [normal([2, 3, 4, 2]), normal([1, 2, 2, 2, 3])],
    build: (...values) => values.map(op.globalAveragePool),
  },
];

describe("convolution and pooling kernels", () => {
  checkAgainstRuntime(CONVOLUTION_KERNELS, CASES);
});
