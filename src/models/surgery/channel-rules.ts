/** What each operator in front of a stem does to grey channels: one rule per operator. */
import {
  floatOf,
  intOf,
  intsOf,
  type Node,
  stringOf,
  type Tensor,
  toNumbers,
} from "../../onnx/index.ts";

/**
 * What a value is to a grey image n: channel c is `gain[c] * n + shift[c]` inside, and `edge[c]` in
 * the border that Pad nodes laid around it.
 */
export interface GreyChannels {
  readonly gain: readonly number[];
  readonly shift: readonly number[];
  readonly edge: readonly number[];
  /** Border so far: top, left, bottom, right. */
  readonly border: readonly [number, number, number, number];
  /** Which axis of an `[N, C, H, W]` image each axis of the value is. */
  readonly order: readonly number[];
}

/** The grey channels that the node makes of its operands; undefined where its output is none. */
export type GreyRule = (
  node: Node,
  operand: (index: number) => GreyChannels | undefined,
  constant: (index: number) => Tensor | undefined,
) => GreyChannels | undefined;

/** One operand is grey channels, the other a number for each of them (or for all). */
function arithmetic(
  compute: (x: number, y: number) => number,
  kind: "shift" | "factor" | "divisor",
): GreyRule {
  return (_, operand, constant) => {
    const index = operand(0) ? 0 : 1;
    const grey = operand(index);
    const numbers = grey && byChannel(constant(1 - index), grey);
    if (!grey || !numbers || (kind === "divisor" && index === 1)) return undefined;
    const apply = (values: readonly number[], others: readonly number[]) =>
      values.map((x, c) => (index === 0 ? compute(x, others[c]!) : compute(others[c]!, x)));
    return {
      ...grey,
      gain: apply(grey.gain, kind === "shift" ? numbers.map(() => 0) : numbers),
      shift: apply(grey.shift, numbers),
      edge: apply(grey.edge, numbers),
    };
  };
}

/** A constant as a number for each channel; undefined where it varies in another way. */
function byChannel(contents: Tensor | undefined, grey: GreyChannels): number[] | undefined {
  if (contents?.type !== "float32" || contents.dims.length > 4) return undefined;
  if (grey.order.length < 4) return undefined;
  const axis = grey.order.indexOf(1) - (4 - contents.dims.length);
  const isVaried = contents.dims.some((size, at) => size !== 1 && at !== axis);
  if (isVaried) return undefined;
  const values = toNumbers(contents);
  if (values.length !== 1 && values.length !== grey.gain.length) return undefined;
  return grey.gain.map((_, c) => values[values.length === 1 ? 0 : c]!);
}

const pick = (grey: GreyChannels, indices: readonly number[]): GreyChannels => {
  const take = (values: readonly number[]) => indices.map((index) => values.at(index)!);
  return { ...grey, gain: take(grey.gain), shift: take(grey.shift), edge: take(grey.edge) };
};

const isChannelAxis = (axis: number, { order }: GreyChannels): boolean => order.at(axis) === 1;

export const GREY_RULES: Readonly<Record<string, GreyRule>> = {
  Identity: (_, operand) => operand(0),
  Cast: (node, operand) => (intOf(node.attributes, "to", 0) === 1 ? operand(0) : undefined),
  Dropout: (_, operand) => operand(0),
  Add: arithmetic((x, y) => x + y, "shift"),
  Sub: arithmetic((x, y) => x - y, "shift"),
  Mul: arithmetic((x, y) => x * y, "factor"),
  Div: arithmetic((x, y) => x / y, "divisor"),
  BatchNormalization: (node, operand, constant) => {
    const grey = operand(0);
    const parts = [1, 2, 3, 4].map((index) => constant(index));
    if (!grey || !isChannelAxis(1, grey) || intOf(node.attributes, "training_mode", 0) === 1)
      return undefined;
    const [scale, bias, mean, variance] = parts.map((part) => part && toNumbers(part));
    if (!scale || !bias || !mean || !variance) return undefined;
    const epsilon = floatOf(node.attributes, "epsilon", 1e-5);
    const factors = scale.map((value, c) => value / Math.sqrt(variance[c]! + epsilon));
    const apply = (values: readonly number[]) =>
      values.map((value, c) => (value - mean[c]!) * factors[c]! + bias[c]!);
    return {
      ...grey,
      gain: grey.gain.map((value, c) => value * factors[c]!),
      shift: apply(grey.shift),
      edge: apply(grey.edge),
    };
  },
  Transpose: (node, operand) => {
    const grey = operand(0);
    if (grey?.order.length !== 4) return undefined;
    const perm = intsOf(node.attributes, "perm") ?? [3, 2, 1, 0];
    return { ...grey, order: perm.map((axis) => grey.order[axis]!) };
  },
  Slice: (_, operand, constant) => {
    const grey = operand(0);
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map((index) => {
      const contents = constant(index);
      return contents && toNumbers(contents);
    });
    if (!grey || starts?.length !== 1 || !ends || !isChannelAxis(axes?.[0] ?? 0, grey))
      return undefined;
    const all = grey.gain.map((_, c) => c);
    const step = steps?.[0] ?? 1;
    if (step === -1 && starts[0] === -1 && ends[0]! < -all.length) return pick(grey, all.reverse());
    return step === 1 ? pick(grey, all.slice(starts[0], ends[0])) : undefined;
  },
  Gather: (node, operand, constant) => {
    const grey = operand(0);
    const indices = constant(1);
    if (!grey || !indices || indices.dims.length > 1) return undefined;
    if (!isChannelAxis(intOf(node.attributes, "axis", 0), grey)) return undefined;
    const picked = pick(grey, toNumbers(indices));
    const order = grey.order.filter((axis) => axis !== 1);
    return indices.dims.length === 1 ? picked : { ...picked, order };
  },
  Unsqueeze: (_, operand, constant) => {
    // One channel gathered without its axis, which comes back: torchvision's transform_input.
    const grey = operand(0);
    const axes = constant(1);
    if (grey?.order.length !== 3 || axes?.data.length !== 1) return undefined;
    return Number(axes.data[0]) === 1 ? { ...grey, order: [0, 1, 2, 3] } : undefined;
  },
  Concat: (node, operand) => {
    const parts = node.inputs.map((_, index) => operand(index));
    const [first] = parts;
    if (!first || !isChannelAxis(intOf(node.attributes, "axis", 0), first)) return undefined;
    const isSame = parts.every(
      (part) =>
        part &&
        part.order.join() === first.order.join() &&
        part.border.join() === first.border.join(),
    );
    if (!isSame) return undefined;
    const join = (key: "gain" | "shift" | "edge") => parts.flatMap((part) => part![key]);
    return { ...first, gain: join("gain"), shift: join("shift"), edge: join("edge") };
  },
  Pad: (node, operand, constant) => {
    const grey = operand(0);
    const pads = constant(1);
    const mode = stringOf(node.attributes, "mode", "constant");
    if (!grey || !pads || mode !== "constant" || node.inputs[3]) return undefined;
    if (grey.order.length !== 4 || pads.data.length !== 8) return undefined;
    const value = node.inputs[2] ? constant(2) : undefined;
    if (node.inputs[2] && !value) return undefined;
    const filler = value ? Number(value.data[0]) : 0;
    const hasOther = grey.border.some((size) => size > 0) && grey.edge.some((e) => e !== filler);
    if (hasOther) return undefined;
    const sizes = toNumbers(pads);
    const of = (axis: number, isEnd: boolean) =>
      sizes[grey.order.indexOf(axis) + (isEnd ? 4 : 0)] ?? 0;
    const isSpatial = sizes.every((size, at) => size === 0 || grey.order[at % 4]! >= 2);
    if (!isSpatial || sizes.some((size) => size < 0)) return undefined;
    const [top, left, bottom, right] = grey.border;
    return {
      ...grey,
      edge: grey.edge.map(() => filler),
      border: [top + of(2, false), left + of(3, false), bottom + of(2, true), right + of(3, true)],
    };
  },
};
