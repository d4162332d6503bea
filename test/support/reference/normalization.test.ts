import { describe } from "vitest";
import { float, int, operators as op, type Value } from "../../../src/onnx/index.ts";
import { normal, type OperatorCase, positive } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { NORMALIZATION_KERNELS } from "./normalization.ts";

const batchNormOperands = (dims: readonly number[]) => {
  const channels = [dims[1]!];
  return [normal(dims), normal(channels), normal(channels), normal(channels), positive(channels)];
};

const CASES: readonly OperatorCase[] = [
  ...[
    [3, 2, 2, 3],
    [4, 3],
    [2, 3, 4],
  ].flatMap((dims): OperatorCase[] => [
    {
      operator: "BatchNormalization",
      title: `by stored statistics, [${dims}]`,
      operands: batchNormOperands(dims),
      build: (x, scale, bias, mean, variance) =>
        op.batchNormalization(
          x!,
          { scale: scale!, bias: bias!, mean: mean!, variance: variance! },
          { epsilon: 0.01 },
        ),
    },
    {
      operator: "BatchNormalization",
      title: `in training, with running statistics, [${dims}]`,
      operands: batchNormOperands(dims),
      build: (x, scale, bias, mean, variance) =>
        Object.values(
          op.batchNormalizationInTraining(
            x!,
            { scale: scale!, bias: bias!, mean: mean!, variance: variance! },
            { momentum: 0.7 },
          ),
        ),
    },
  ]),
  ...([-1, 1, 0] as const).map(
    (axis): OperatorCase => ({
      operator: "LayerNormalization",
      title: `from axis ${axis}, with mean and deviation`,
      operands: [0, 1, 2].map((part) =>
        normal(part === 0 ? [2, 3, 4] : [2, 3, 4].slice(axis === -1 ? 2 : axis)),
      ),
      build: (...operands: Value[]) =>
        operands[0]!.builder.node(
          "LayerNormalization",
          operands,
          { axis: int(axis), epsilon: float(0.01) },
          { outputs: 3 },
        ),
    }),
  ),
  {
    operator: "LayerNormalization",
    title: "no bias",
    operands: [normal([2, 4]), normal([4])],
    build: (x, scale) => x!.builder.node("LayerNormalization", [x, scale])[0]!,
  },
  {
    operator: "InstanceNormalization",
    title: "images",
    operands: [normal([2, 3, 3, 2]), normal([3]), normal([3])],
    build: (x, scale, bias) =>
      op.instanceNormalization(x!, { scale: scale!, bias: bias! }, { epsilon: 0.01 }),
  },
  ...[1, 2, 4].map(
    (groups): OperatorCase => ({
      operator: "GroupNormalization",
      title: `${groups} group(s)`,
      operands: [normal([2, 4, 3, 2]), normal([4]), normal([4])],
      build: (...[x, scale, bias]: Value[]) =>
        op.groupNormalization(x!, { scale: scale!, bias: bias! }, { groups, epsilon: 0.01 }),
    }),
  ),
  ...[-1, 0, 1].flatMap((axis): OperatorCase[] => [
    {
      operator: "Softmax",
      title: `axis ${axis}`,
      operands: [normal([3, 2, 4])],
      build: (...[x]: Value[]) => op.softmax(x!, axis),
    },
    {
      operator: "LogSoftmax",
      title: `axis ${axis}`,
      operands: [normal([3, 2, 4])],
      build: (...[x]: Value[]) => op.logSoftmax(x!, axis),
    },
  ]),
];

describe("normalization kernels", () => {
  checkAgainstRuntime(NORMALIZATION_KERNELS, CASES);
});
