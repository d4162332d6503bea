/** The blocked form of each operator that has one: copies the node, or returns false to decline. */
import {
  type Activation,
  filled,
  floatOf,
  intOf,
  intsOf,
  type Node,
  operators as op,
  sizeOf,
  staticShape,
  type Value,
  windowOf,
} from "../../onnx/index.ts";
import { blockedConvolution } from "./convolution.ts";
import type { BlockedCopy } from "./copier.ts";
import { wholeBlocks } from "./layout.ts";
import { blockedNorm } from "./norm.ts";

type Form = (copy: BlockedCopy, node: Node) => boolean;

/** Blocks are worth it while they hold at most this much more than there is. */
const MOST_FILLING = 1.6;

const conv: Form = (copy, node) => {
  const { block, assembly } = copy;
  const [input, weightName, biasName] = node.inputs;
  const shape = copy.shapeOf(input!);
  const weight = assembly.builder.find(weightName!);
  if (!weight || shape.length !== 4 || sizeOf(shape.slice(2)) === 1) return false;
  const [outputs, perGroup, ...kernel] = staticShape(weight) as [number, number, ...number[]];
  const channels = shape[1]!;
  const group = intOf(node.attributes, "group", 1);
  const isDepthwise = group > 1 && perGroup === 1 && group === channels && outputs === channels;
  if (!isDepthwise && (group !== 1 || channels < block)) return false;
  const filling = wholeBlocks(outputs, block) / outputs;
  const widening = isDepthwise ? 1 : wholeBlocks(channels, block) / channels;
  if (filling * widening > MOST_FILLING) return false;
  const x = copy.blocked(input!).value;
  const window = windowOf(node.attributes, shape.slice(2), kernel);
  const bias = biasName ? assembly.builder.find(biasName) : undefined;
  const { last, sum, activation } = following(copy, node, [
    shape[0]!,
    outputs,
    ...window.output.map(Number),
  ]);
  const y = blockedConvolution(
    { x, weight, bias, isDepthwise, window, sum, activation },
    block,
    assembly.customs,
  );
  copy.place(last.outputs[0]!, y, outputs);
  return true;
};

/** With the sum and the activation that follow it, where nothing else reads what lies between. */
const batchNormalization: Form = (copy, node) => {
  const found = copy.known(node.inputs[0]!);
  if (!found) return false;
  const { builder, customs } = copy.assembly;
  const [scale, bias, mean, variance] = node.inputs.slice(1).map((name) => builder.find(name)!);
  const isTraining = copy.isTraining(node);
  const { last, sum, activation } = following(copy, node, copy.shapeOf(node.inputs[0]!));
  const { y, statistics } = blockedNorm(
    {
      x: found.value,
      scale: scale!,
      bias: bias!,
      stored: isTraining ? undefined : { mean: mean!, variance: variance! },
      epsilon: floatOf(node.attributes, "epsilon", 1e-5),
      sum,
      activation,
    },
    copy.block,
    customs,
  );
  if (statistics) copy.track(node, statistics.mean, statistics.variance);
  copy.place(last.outputs[0]!, y, found.channels);
  return true;
};

/**
 * The sum with a shortcut and the activation that alone read the node's result of that shape, one
 * after the other: the node's kernel does their work, and they are not copied themselves.
 */
function following(copy: BlockedCopy, node: Node, shape: readonly number[]) {
  let last = node;
  const shortcut = followingSum(copy, last, shape);
  if (shortcut) last = shortcut.node;
  const next = copy.onlyConsumer(last.outputs[0]!);
  const activation = next && activationOf(copy, next);
  if (activation) last = next;
  if (shortcut) copy.absorb(shortcut.node);
  if (activation) copy.absorb(next!);
  return { last, sum: shortcut?.value, activation };
}

/** The Add that alone reads the node's result, if its other operand is in blocks already. */
function followingSum(
  copy: BlockedCopy,
  node: Node,
  shape: readonly number[],
): { node: Node; value: Value } | undefined {
  const next = copy.onlyConsumer(node.outputs[0]!);
  if (next?.operator !== "Add" || next.domain !== "") return undefined;
  const other = next.inputs.find((name) => name !== node.outputs[0]);
  const found = other === undefined ? undefined : copy.known(other);
  if (!found || !isSame(copy.shapeOf(other!), shape)) return undefined;
  return { node: next, value: found.value };
}

function activationOf({ assembly }: BlockedCopy, node: Node): Activation | undefined {
  if (node.domain !== "") return undefined;
  if (node.operator === "Relu") return { kind: "Relu" };
  if (node.operator !== "Clip") return undefined;
  const [low, high] = [1, 2].map((index) => {
    const bound = assembly.builder.find(node.inputs[index] ?? "")?.constant;
    return bound ? Number(bound.data[0]) : undefined;
  });
  return low === undefined || high === undefined ? undefined : { kind: "Clip", low, high };
}

/** The mean of the positions goes on in the standard layout: both layouts of it are the same. */
const globalAveragePool: Form = (copy, node) => {
  const found = copy.known(node.inputs[0]!);
  if (!found) return false;
  const { assembly, block } = copy;
  const { builder, customs } = assembly;
  const x = found.value;
  const shape = staticShape(x);
  const [batch, whole, ...size] = shape as [number, number, ...number[]];
  const missing = whole - found.channels;
  customs.group(
    [x],
    () => {
      const means = op.blockedGlobalAveragePool(x);
      const ranges = [0, found.channels, 1].map((number) => builder.integers([number]));
      return missing === 0
        ? builder.node("Identity", [means], {}, { outputs: [node.outputs[0]!] })[0]!
        : builder.node("Slice", [means, ...ranges], {}, { outputs: [node.outputs[0]!] })[0]!;
    },
    (gradient) => {
      const share = op.mul(gradient, builder.scalar(1 / sizeOf(size)));
      const filledUp = missing === 0 ? share : op.pad(share, [0, 0, 0, 0, 0, missing, 0, 0]);
      const apart = op.reshape(filledUp, [batch, whole / block, 1, block]);
      const spread = op.expand(apart, [batch, whole / block, sizeOf(size), block]);
      return [op.reshape(spread, shape)];
    },
  );
  return true;
};

/** Unpadded windows: a depthwise convolution with equal weights. */
const averagePool: Form = (copy, node) => {
  const found = copy.known(node.inputs[0]!);
  const kernel = intsOf(node.attributes, "kernel_shape");
  if (!found || !kernel) return false;
  const { builder, customs } = copy.assembly;
  const { value: x, channels } = found;
  const size = staticShape(x).slice(2);
  const window = windowOf(node.attributes, size, kernel);
  const reach = kernel.map(
    (taps, axis) => (Number(window.output[axis]) - 1) * window.strides[axis]! + taps,
  );
  const isInside =
    [...window.padsBegin, ...window.padsEnd].every((pad) => pad === 0) &&
    window.dilations.every((dilation) => dilation === 1) &&
    reach.every((extent, axis) => extent <= size[axis]!);
  if (!isInside) return false;
  const weight = builder.constant(filled([staticShape(x)[1]!, 1, ...kernel], 1 / sizeOf(kernel)));
  const y = blockedConvolution(
    { x, weight, bias: undefined, isDepthwise: true, window },
    copy.block,
    customs,
  );
  copy.place(node.outputs[0]!, y, channels);
  return true;
};

/** One operand in blocks, the others numbers: element by element, as in the standard layout. */
const elementwise: Form = (copy, node) => {
  const { builder } = copy.assembly;
  const [first] = node.inputs.flatMap((name) => copy.known(name) ?? []);
  if (!first) return false;
  const shape = staticShape(first.value);
  const isScalar = (name: string) => {
    const value = builder.find(name);
    return (
      value !== undefined && value.shape.length <= shape.length && sizeOf(staticShape(value)) === 1
    );
  };
  const isFit = node.inputs.every(
    (name) =>
      name === "" ||
      isScalar(name) ||
      isSame(copy.shapeOf(name), [shape[0]!, first.channels, ...shape.slice(2)]),
  );
  if (!isFit) return false;
  const operands = node.inputs.map((name) => {
    if (name === "") return undefined;
    return isScalar(name) ? builder.find(name) : copy.blocked(name).value;
  });
  const [y] = builder.node(node.operator, operands, node.attributes);
  copy.place(node.outputs[0]!, y!, first.channels);
  return true;
};

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);

/** Operators that stay finite: what fills a block meets zero weights only, and those need numbers. */
const ELEMENTWISE = [
  "Add",
  "Clip",
  "Elu",
  "Gelu",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Max",
  "Min",
  "Mul",
  "Relu",
  "Sigmoid",
  "Softplus",
  "Sub",
  "Sum",
  "Tanh",
] as const;

export const BLOCKED_FORMS: Readonly<Record<string, Form>> = {
  Conv: conv,
  BatchNormalization: batchNormalization,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  ...Object.fromEntries(ELEMENTWISE.map((operator) => [operator, elementwise])),
};
