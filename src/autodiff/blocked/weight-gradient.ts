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
  type Tensor,
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
  const parts = partsOf(operands);
  return parts === undefined ? inStandardLayout(operands) : byProducts(operands, parts);
}

/** The partial sums of all parts of a batch may be so many numbers, 16 MB. */
const LARGEST_PARTIAL = 2 ** 22;
/** The kernel gives a core a part with 64 input channels at a time: so many pieces keep all busy. */
const PIECES = 8;
/** Maps of so many positions are long enough for a product of their own, and then nothing moves. */
const LARGE_MAP = 512;

/**
 * Into how many parts the batch is cut, each with a product of its own; undefined where no part fills
 * whole blocks with its positions. As one part, 32 -> 64 channels at 75x75, batch 32, took 8.5 ms a
 * tap on one of two cores, in two parts 4.3.
 */
function partsOf({ gradient, weight, block }: BlockedWeightOperands): number | undefined {
  const [batch, , ...size] = staticShape(gradient) as [number, number, ...number[]];
  const [outputs, inputs] = staticShape(weight) as [number, number];
  const possible = Array.from({ length: batch }, (_, index) => index + 1).filter(
    (parts) =>
      batch % parts === 0 &&
      ((batch / parts) * sizeOf(size)) % block === 0 &&
      (parts === 1 || parts * outputs * inputs <= LARGEST_PARTIAL),
  );
  const most = possible.at(-1);
  if (most === batch && sizeOf(size) >= LARGE_MAP) return most;
  const enough = PIECES / Math.ceil(inputs / (4 * block));
  return possible.find((parts) => parts >= enough) ?? most;
}

function byProducts(operands: BlockedWeightOperands, parts: number): Value {
  const { x, gradient, weight, window, block } = operands;
  const [outputs, inputs, ...kernel] = staticShape(weight) as [number, number, number, number];
  const [batch, , high, wide] = staticShape(gradient) as [number, number, number, number];
  const images = batch / parts;
  const depth = images * high * wide;
  const standard = op.reshape(op.reorderOutput(gradient, outputs), [
    parts,
    images,
    outputs,
    high * wide,
  ]);
  const rows = op.reshape(imagesInside(standard), [parts, outputs, 1, depth]);
  const image = op.reshape(op.reorderChannelsLast(rows), [1, parts * depth, outputs, 1]);
  const size = staticShape(x).slice(2);
  const apart = op.reshape(x, [parts, images, inputs / block, sizeOf(size) * block]);
  const filters = op.reshape(imagesInside(apart), [
    (parts * inputs) / block,
    images * block,
    ...size,
  ]);
  const taps = tapsOf(kernel).map((tap) => {
    const part = op.reshape(meeting(filters, window, tap, [high, wide], block), [
      parts * inputs,
      depth,
      1,
      1,
    ]);
    const products = op.blockedConv(image, part, undefined, { group: parts });
    const sums = op.reshape(products, [parts, inputs * outputs]);
    return parts === 1 ? sums : op.reduceSum(sums, { axes: [0], keepsDims: false });
  });
  return assembled(operands, taps);
}

/** `[parts, images, channels, ...]` with the images inside the channels. */
function imagesInside(x: Value): Value {
  return staticShape(x)[1] === 1 ? x : op.transpose(x, [0, 2, 1, 3]);
}

/** From `[I/B, O, B]` for each tap. */
function assembled({ weight, block }: BlockedWeightOperands, taps: readonly Value[]): Value {
  const [outputs, inputs] = staticShape(weight) as [number, number];
  const tiles = [1, inputs / block, outputs / block, block * block];
  const parts = taps.map((tap) => op.reshape(tap, tiles));
  const all = op.concat(parts as [Value, ...Value[]], 0);
  const moved = op.transpose(all, [2, 1, 0, 3]);
  return op.reshape(transposeTiles(moved, block), staticShape(weight));
}

const tapsOf = ([high, wide]: readonly number[]): [number, number][] =>
  Array.from({ length: high! * wide! }, (_, tap) => [Math.floor(tap / wide!), tap % wide!]);

/**
 * The part of X that meets dY under one tap, zeros where the window leaves X: along each axis
 * part[p] = X[stride p + offset], as a convolution of the smallest kernel that reaches so far.
 */
function meeting(
  x: Value,
  { strides, dilations, padsBegin }: Window,
  tap: readonly number[],
  output: readonly number[],
  block: number,
): Value {
  const [, channels, ...size] = staticShape(x) as [number, number, ...number[]];
  const axes = size.map((length, axis) => {
    const offset = tap[axis]! * dilations[axis]! - padsBegin[axis]!;
    const place = Math.max(offset, 0);
    const begin = place - offset;
    const last = strides[axis]! * (output[axis]! - 1);
    const kernel = Math.max(place + 1, length + begin - last);
    return { place, begin, kernel, end: last + kernel - begin - length };
  });
  const isWhole =
    strides.every((stride) => stride === 1) &&
    axes.every(({ begin, end, kernel }) => kernel === 1 && begin === 0 && end === 0);
  if (isWhole) return x;
  const [rows, columns] = axes as [(typeof axes)[0], (typeof axes)[0]];
  const kernel = [rows.kernel, columns.kernel];
  const weight = oneTap(channels, kernel, rows.place * columns.kernel + columns.place, block);
  return op.blockedConv(x, x.builder.constant(weight), undefined, {
    group: channels,
    strides,
    pads: [rows.begin, columns.begin, rows.end, columns.end],
  });
}

/** A depthwise weight in blocks, 1 at one tap. */
function oneTap(channels: number, kernel: readonly number[], tap: number, block: number): Tensor {
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
