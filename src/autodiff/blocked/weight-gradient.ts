/**
 * The weight gradient of a blocked convolution, as products in ONNX Runtime's blocked 1x1 kernel. For
 * each tap of the kernel dW[o, i] = sum over k of dY[o, k] X[i, k], where k runs over all positions of
 * all images. As a 1x1 convolution the k are its input channels: dY, put as `[K/B, O, B]`, is an
 * "image" of O positions, and X's blocks, `[I/B, K, B]`, already are a blocked weight.
 *
 * What moves must be an operator that uses all cores: Pad, Slice, Transpose and Concat use one. A tap's
 * part of X is therefore a depthwise convolution whose weight is 1 at that tap. ResNet-18 (224x224,
 * batch 16, 2 cores): Pad and Transpose took 362 of 1,407 ms a step.
 */
import {
  filled,
  operators as op,
  sizeOf,
  staticShape,
  type Value,
  type Window,
} from "../../onnx/index.ts";
import { weightGradient } from "../rules/convolution-weight.ts";
import { blockWeight, transposeTiles } from "./layout.ts";

export interface BlockedWeightOperands {
  /** Blocked, `[N, I, H, W]`. */
  readonly x: Value;
  /** Blocked dY, `[N, O, P, Q]`. */
  readonly gradient: Value;
  /** The blocked weight. */
  readonly weight: Value;
  readonly window: Window;
  readonly block: number;
}

/** dW, blocked as the weight is. */
export function blockedWeightGradient(operands: BlockedWeightOperands): Value {
  const { gradient, weight, block } = operands;
  const [batch, , ...size] = staticShape(gradient) as [number, number, ...number[]];
  const positions = sizeOf(size);
  const [outputs, inputs] = staticShape(weight) as [number, number];
  const isLarge = positions >= LARGE_MAP && batch * outputs * inputs <= LARGEST_PARTIAL;
  if (isLarge && positions % block === 0) return assembled(operands, perImage(operands));
  if ((batch * positions) % block === 0) return assembled(operands, overBatch(operands));
  return inStandardLayout(operands);
}

/** From this many positions on each image's product is long enough to be taken alone... */
const LARGE_MAP = 512;
/** ... if the products of all images, which are summed afterwards, are no more numbers than this. */
const LARGEST_PARTIAL = 2 ** 19;

/** `[I/B, O, B]` for each tap of the kernel. */
type TapProducts = Value[];

/** Each image is a group: nothing but dY changes its place in memory. */
function perImage({ x, gradient, weight, window, block }: BlockedWeightOperands): TapProducts {
  const [, inputs, ...kernel] = staticShape(weight) as [number, number, number, number];
  const [batch, outputs, high, wide] = staticShape(gradient) as [number, number, number, number];
  const depth = high * wide;
  const standard = op.reshape(op.reorderOutput(gradient, outputs), [batch, outputs, 1, depth]);
  const image = op.reshape(op.reorderChannelsLast(standard), [1, batch * depth, outputs, 1]);
  return tapsOf(kernel).map((tap) => {
    const part = op.reshape(meeting(x, window, tap, kernel, block), [batch * inputs, depth, 1, 1]);
    const products = op.blockedConv(image, part, undefined, { group: batch });
    const apart = op.reshape(products, [batch, inputs * outputs]);
    return op.reduceSum(apart, { axes: [0], keepsDims: false });
  });
}

/** The positions of all images are one long row. */
function overBatch({ x, gradient, weight, window, block }: BlockedWeightOperands): TapProducts {
  const [, inputs, ...kernel] = staticShape(weight) as [number, number, number, number];
  const [batch, outputs, high, wide] = staticShape(gradient) as [number, number, number, number];
  const depth = batch * high * wide;
  const standard = op.reshape(op.reorderOutput(gradient, outputs), [batch, outputs, high * wide]);
  const rows = op.reshape(op.transpose(standard, [1, 0, 2]), [1, outputs, 1, depth]);
  const image = op.reorderChannelsLast(rows);
  const size = staticShape(x).slice(2);
  const apart = op.reshape(x, [batch, inputs / block, sizeOf(size) * block]);
  const blocksFirst = op.reshape(op.transpose(apart, [1, 0, 2]), [
    inputs / block,
    batch * block,
    ...size,
  ]);
  return tapsOf(kernel).map((tap) => {
    const part = meeting(blocksFirst, window, tap, kernel, block);
    return op.blockedConv(image, op.reshape(part, [inputs, depth, 1, 1]));
  });
}

function assembled({ weight, block }: BlockedWeightOperands, taps: TapProducts): Value {
  const [outputs, inputs] = staticShape(weight) as [number, number];
  const tiles = [1, inputs / block, outputs / block, block * block];
  const parts = taps.map((tap) => op.reshape(tap, tiles));
  const all = op.concat(parts as [Value, ...Value[]], 0);
  const moved = op.transpose(all, [2, 1, 0, 3]);
  return op.reshape(transposeTiles(moved, block), staticShape(weight));
}

const tapsOf = ([high, wide]: readonly number[]): [number, number][] =>
  Array.from({ length: high! * wide! }, (_, tap) => [Math.floor(tap / wide!), tap % wide!]);

/** The part of X that meets dY under one tap, zeros where the window leaves X. */
function meeting(
  x: Value,
  { strides, dilations, padsBegin, padsEnd }: Window,
  [row, column]: readonly [number, number],
  kernel: readonly number[],
  block: number,
): Value {
  const pads = [...padsBegin, ...padsEnd];
  const isWhole = [...strides, ...kernel].every((size) => size === 1) && pads.every((p) => p === 0);
  if (isWhole) return x;
  const channels = staticShape(x)[1]!;
  const weight = x.builder.constant(oneTap(channels, kernel, row * kernel[1]! + column, block));
  return op.blockedConv(x, weight, undefined, { group: channels, strides, dilations, pads });
}

/** A depthwise weight in blocks, 1 at one tap. */
function oneTap(channels: number, kernel: readonly number[], tap: number, block: number) {
  const weight = filled([channels, 1, ...kernel], 0);
  const data = weight.data as Float32Array;
  const taps = sizeOf(kernel);
  for (let first = 0; first < channels; first += block)
    data.fill(1, first * taps + tap * block, first * taps + (tap + 1) * block);
  return weight;
}

/** Where the positions of a batch do not fill whole blocks. */
function inStandardLayout({ x, gradient, weight, window, block }: BlockedWeightOperands): Value {
  const standard = (value: Value) => op.reorderOutput(value, staticShape(value)[1]!);
  const operands = { x: standard(x), gradient: standard(gradient), weight, group: 1, window };
  return blockWeight(weightGradient(operands), block);
}

/** dW of a blocked depthwise convolution: each channel of each image is a group of its own. */
export function blockedDepthwiseGradient({
  x,
  gradient,
  weight,
  window,
  block,
}: BlockedWeightOperands): Value {
  const [batch, channels, ...size] = staticShape(x) as [number, number, number, number];
  const [, , ...output] = staticShape(gradient);
  const [, , ...kernel] = staticShape(weight) as [number, number, number, number];
  const groups = batch * channels;
  const sums = op.blockedConv(
    op.reshape(x, [1, groups, ...size]),
    op.reshape(gradient, [groups, 1, ...output]),
    undefined,
    {
      group: groups,
      strides: window.dilations,
      dilations: window.strides,
      pads: [...window.padsBegin, ...window.padsEnd],
    },
  );
  const found = staticShape(sums).slice(2);
  const apart = op.reshape(sums, [batch, channels / block, ...found, block]);
  const ranges = kernel.flatMap((count, axis) =>
    found[axis] === count ? [] : [{ axis: axis + 2, start: 0, end: count }],
  );
  const cropped = ranges.length === 0 ? apart : op.slice(apart, ranges);
  const total = op.reduceSum(cropped, { axes: [0], keepsDims: false });
  return op.reshape(total, [channels, 1, ...kernel]);
}
