/** Normalizations and softmax, each from the mean and population variance of its axes. */
import { floatOf, intOf } from "../../../src/onnx/index.ts";
import {
  broadcastOffset,
  type NdArray,
  numbersOf,
  offsetOf,
  positiveAxis,
  tabulate,
} from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";
import { reduceAlong } from "./reduction.ts";

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const middle = mean(values);
  return mean(values.map((x) => (x - middle) ** 2));
};

/** Statistics by index: (x - mean) / sqrt(variance + epsilon) scale + bias. */
function normalized(
  x: NdArray,
  { mean, variance, epsilon }: { mean: NdArray; variance: NdArray; epsilon: number },
  affine: (index: readonly number[]) => readonly [scale: number, bias: number],
): NdArray {
  const values = numbersOf(x);
  const [middle, spread] = [numbersOf(mean), numbersOf(variance)];
  return tabulate(x.type, x.dims, (index) => {
    const at = broadcastOffset(mean.dims, index);
    const [scale, bias] = affine(index);
    const centred = values[offsetOf(x.dims, index)]! - middle[at]!;
    return (centred / Math.sqrt(spread[at]! + epsilon)) * scale + bias;
  });
}

function byChannel(operation: Operation): (index: readonly number[]) => readonly [number, number] {
  const [scale, bias] = [operation.numbers(1)!, operation.numbers(2)!];
  return (index) => [scale[index[1]!]!, bias[index[1]!]!];
}

const epsilonOf = (operation: Operation): number => floatOf(operation.attributes, "epsilon", 1e-5);
const axesFrom = (first: number, rank: number): number[] =>
  Array.from({ length: rank - first }, (_, index) => first + index);

/** In training the running statistics are old * momentum + batch * (1 - momentum). */
const batchNormalization: Kernel = (operation) => {
  const x = operation.input(0);
  const column = x.dims.map((size, axis) => (axis === 1 ? size : 1));
  const old = [operation.input(3), operation.input(4)] as const;
  const axes = [0, ...axesFrom(2, x.dims.length)];
  const isTraining = intOf(operation.attributes, "training_mode", 0) === 1;
  const momentum = floatOf(operation.attributes, "momentum", 0.9);
  const used = isTraining
    ? ([reduceAlong(x, axes, mean), reduceAlong(x, axes, variance)] as const)
    : ([
        { ...old[0], dims: column },
        { ...old[1], dims: column },
      ] as const);
  const y = normalized(
    x,
    { mean: used[0], variance: used[1], epsilon: epsilonOf(operation) },
    byChannel(operation),
  );
  const running = old.map((stored, which) => {
    const batch = numbersOf(used[which]!);
    const kept = numbersOf(stored);
    return tabulate(stored.type, stored.dims, ([c]) =>
      isTraining ? momentum * kept[c!]! + (1 - momentum) * batch[c!]! : kept[c!]!,
    );
  });
  return [y, ...running];
};

/** Outputs 1 and 2 are the mean and the reciprocal of the standard deviation. */
const layerNormalization: Kernel = (operation) => {
  const x = operation.input(0);
  const [scale, bias] = [operation.input(1), operation.inputs[2]];
  const first = positiveAxis(intOf(operation.attributes, "axis", -1), x.dims.length);
  const axes = axesFrom(first, x.dims.length);
  const epsilon = epsilonOf(operation);
  const statistics = {
    mean: reduceAlong(x, axes, mean),
    variance: reduceAlong(x, axes, variance),
    epsilon,
  };
  const [factors, shifts] = [numbersOf(scale), bias && numbersOf(bias)];
  const y = normalized(x, statistics, (index) => [
    factors[broadcastOffset(scale.dims, index)]!,
    bias && shifts ? shifts[broadcastOffset(bias.dims, index)]! : 0,
  ]);
  const inverse = numbersOf(statistics.variance).map((v) => 1 / Math.sqrt(v + epsilon));
  return [y, statistics.mean, { ...statistics.variance, data: inverse }];
};

const instanceNormalization: Kernel = (operation) => {
  const x = operation.input(0);
  const axes = axesFrom(2, x.dims.length);
  const statistics = {
    mean: reduceAlong(x, axes, mean),
    variance: reduceAlong(x, axes, variance),
    epsilon: epsilonOf(operation),
  };
  return [normalized(x, statistics, byChannel(operation))];
};

const groupNormalization: Kernel = (operation) => {
  const x = operation.input(0);
  const [batch, channels, ...spatial] = x.dims;
  const groups = intOf(operation.attributes, "num_groups", 1);
  const perGroup = channels! / groups;
  const apart = { ...x, dims: [batch!, groups, perGroup, ...spatial] };
  const axes = axesFrom(2, apart.dims.length);
  const [scale, bias] = [operation.numbers(1)!, operation.numbers(2)!];
  const y = normalized(
    apart,
    {
      mean: reduceAlong(apart, axes, mean),
      variance: reduceAlong(apart, axes, variance),
      epsilon: epsilonOf(operation),
    },
    ([, group, c]) => [scale[group! * perGroup + c!]!, bias[group! * perGroup + c!]!],
  );
  return [{ ...y, dims: x.dims }];
};

const softmaxWith =
  (finish: (shifted: number, total: number) => number): Kernel =>
  (operation) => {
    const x = operation.input(0);
    const axis = positiveAxis(intOf(operation.attributes, "axis", -1), x.dims.length);
    const largest = reduceAlong(x, [axis], (values) => Math.max(...values));
    const total = reduceAlong(x, [axis], (values) => {
      const top = Math.max(...values);
      return values.reduce((sum, value) => sum + Math.exp(value - top), 0);
    });
    const [values, tops, totals] = [numbersOf(x), numbersOf(largest), numbersOf(total)];
    return [
      tabulate(x.type, x.dims, (index) => {
        const at = broadcastOffset(largest.dims, index);
        return finish(values[offsetOf(x.dims, index)]! - tops[at]!, totals[at]!);
      }),
    ];
  };

export const NORMALIZATION_KERNELS: KernelTable = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  Softmax: softmaxWith((shifted, total) => Math.exp(shifted) / total),
  LogSoftmax: softmaxWith((shifted, total) => shifted - Math.log(total)),
};
