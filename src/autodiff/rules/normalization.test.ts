import { describe } from "vitest";
import { checkGradients } from "../../../test/support/gradient-check.ts";
import { fixed, normal, type OperatorCase, positive } from "../../../test/support/operator-case.ts";
import { float, int, operators as op, type Value } from "../../onnx/index.ts";
import { NORMALIZATION_GRADIENTS } from "./normalization.ts";

const IMAGES: readonly (readonly number[])[] = [
  [3, 2, 2, 3],
  [4, 3],
  [2, 3, 4],
  [2, 2, 2, 1, 3],
];

const parameters = (channels: number) => [normal([channels]), normal([channels])] as const;
const statistics = (channels: number) => [normal([channels]), positive([channels])] as const;

/** As training graphs write it: momentum 0, so that outputs 1 and 2 are the batch's own statistics. */
function trainingNorm(epsilon: number) {
  return (...operands: Value[]): Value =>
    operands[0]!.builder.node(
      "BatchNormalization",
      operands,
      { training_mode: int(1), momentum: float(0), epsilon: float(epsilon) },
      { outputs: 3 },
    )[0]!;
}

const BATCH_NORMS: readonly OperatorCase[] = IMAGES.flatMap((dims) => {
  const channels = dims[1]!;
  const [mean, variance] = statistics(channels);
  return [
    {
      operator: "BatchNormalization",
      title: `by the batch, [${dims}]`,
      operands: [normal(dims), ...parameters(channels), fixed(mean), fixed(variance)],
      build: trainingNorm(1e-3),
    },
    {
      operator: "BatchNormalization",
      title: `frozen, [${dims}]`,
      operands: [normal(dims), ...parameters(channels), fixed(mean), fixed(variance)],
      build: (x: Value, scale: Value, bias: Value, mean: Value, variance: Value) =>
        op.batchNormalization(x, { scale, bias, mean, variance }, { epsilon: 0.01 }),
    } as OperatorCase,
  ];
});

const LAYER_NORMS: readonly OperatorCase[] = (
  [
    ["the last axis", [2, 3, 4], [4], -1],
    ["the last axis, counted from the front", [2, 3, 4], [4], 2],
    ["two axes", [2, 3, 4], [3, 4], 1],
    ["everything", [2, 3], [2, 3], 0],
    ["tokens", [2, 3, 2, 4], [4], -1],
  ] as const
).map(([title, dims, norm, axis]) => ({
  operator: "LayerNormalization",
  title,
  operands: [normal(dims), normal(norm), normal(norm)],
  build: (x: Value, scale: Value, bias: Value) =>
    op.layerNormalization(x, { scale, bias }, { axis, epsilon: 1e-3 }),
})) as readonly OperatorCase[];

const SOFTMAXES: readonly OperatorCase[] = (
  [
    [[2, 3], -1],
    [[3, 2, 4], 1],
    [[3, 2], 0],
    [[2, 2, 3, 3], -1],
    [[4], 0],
  ] as const
).flatMap(([dims, axis]) => [
  {
    operator: "Softmax",
    title: `[${dims}] along axis ${axis}`,
    operands: [normal(dims)],
    build: (x: Value) => op.softmax(x, axis),
  },
  {
    operator: "LogSoftmax",
    title: `[${dims}] along axis ${axis}`,
    operands: [normal(dims)],
    build: (x: Value) => op.logSoftmax(x, axis),
  },
]);

const CASES: readonly OperatorCase[] = [
  ...BATCH_NORMS,
  {
    operator: "BatchNormalization",
    title: "by the batch, images that are not trained",
    operands: [
      fixed(normal([3, 2, 2, 2])),
      ...parameters(2),
      ...statistics(2).map((operand) => fixed(operand)),
    ],
    build: trainingNorm(1e-5),
  },
  ...LAYER_NORMS,
  {
    operator: "LayerNormalization",
    title: "no bias",
    operands: [normal([2, 4]), normal([4])],
    build: (x, scale) => x!.builder.node("LayerNormalization", [x, scale])[0]!,
  },
  ...IMAGES.filter((dims) => dims.length > 2).map(
    (dims): OperatorCase => ({
      operator: "InstanceNormalization",
      title: `[${dims}]`,
      operands: [normal(dims), ...parameters(dims[1]!)],
      build: (...[x, scale, bias]: Value[]) =>
        op.instanceNormalization(x!, { scale: scale!, bias: bias! }, { epsilon: 1e-2 }),
    }),
  ),
  ...(
    [
      [2, 4, 3, 2],
      [2, 6, 3],
      [3, 4],
    ] as const
  ).flatMap((dims) =>
    [1, 2, dims[1]].map(
      (groups): OperatorCase => ({
        operator: "GroupNormalization",
        title: `[${dims}] in ${groups} group(s)`,
        operands: [normal(dims), ...parameters(dims[1])],
        build: (...[x, scale, bias]: Value[]) =>
          op.groupNormalization(x!, { scale: scale!, bias: bias! }, { groups, epsilon: 1e-2 }),
      }),
    ),
  ),
  ...SOFTMAXES,
];

describe("gradients of normalizations", () => {
  checkGradients(NORMALIZATION_GRADIENTS, CASES);
});
