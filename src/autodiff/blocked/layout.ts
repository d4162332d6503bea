/**
 * The blocked layout: a tensor `[N, C, H, W]` lies in memory as `[N, C/B, H, W, B]`. Its channels are
 * filled up to whole blocks; what fills them has zero weights around it and never comes back.
 */
import { operators as op, sizeOf, staticShape, type Value } from "../../onnx/index.ts";

/** The next multiple of the block. */
export const wholeBlocks = (channels: number, block: number): number =>
  Math.ceil(channels / block) * block;

/** From the standard layout, channels filled up with zeros. */
export function toBlocks(x: Value, block: number): Value {
  const [batch, channels, ...size] = staticShape(x);
  const missing = wholeBlocks(channels!, block) - channels!;
  const whole = missing === 0 ? x : op.pad(x, [0, 0, 0, 0, 0, missing, 0, 0]);
  // One position per channel lies the same in both layouts; a value of its own has a gradient of its own.
  if (size.every((length) => length === 1)) return op.reshape(whole, [batch!, -1, ...size]);
  return op.reorderInput(whole);
}

/** `[C]` filled up with zeros. */
export function wholeVector(vector: Value, block: number): Value {
  const [channels] = staticShape(vector);
  const missing = wholeBlocks(channels!, block) - channels!;
  return missing === 0 ? vector : op.pad(vector, [0, missing]);
}

/** The first `channels` of a vector. */
export function firstOf(vector: Value, channels: number): Value {
  return staticShape(vector)[0] === channels
    ? vector
    : op.slice(vector, [{ axis: 0, start: 0, end: channels }]);
}

/**
 * A weight `[O, I, kh, kw]` in blocks, in memory `[O/B, I/B, kh, kw, B, B]`, input channels first.
 * Reordering rows of a block of outputs leaves whole rows of B to be moved: 9.4 MB (512 -> 512, 3x3)
 * take 4 ms, as one Transpose of single numbers 12.
 */
export function blockWeight(weight: Value, block: number): Value {
  const [outputs, inputs, high, wide] = staticShape(weight) as [number, number, number, number];
  const [rows, columns] = [wholeBlocks(outputs, block), wholeBlocks(inputs, block)];
  const isWhole = rows === outputs && columns === inputs;
  const whole = isWhole
    ? weight
    : op.pad(weight, [0, 0, 0, 0, rows - outputs, columns - inputs, 0, 0]);
  const taps = high * wide;
  const flat = op.reshape(whole, [rows / block, block, columns * taps, 1]);
  const grid = [rows / block, columns / block, block, taps, block];
  const apart = op.reshape(op.reorderInput(flat), grid);
  return op.reshape(op.transpose(apart, [0, 1, 3, 2, 4]), [rows, columns, high, wide]);
}

/** From blocks to the standard layout: undoes `blockWeight`, which makes it its gradient too. */
export function unblockWeight(
  weight: Value,
  [outputs, inputs]: readonly [number, number],
  block: number,
): Value {
  const [rows, columns, high, wide] = staticShape(weight) as [number, number, number, number];
  const taps = high * wide;
  const grid = [rows / block, columns / block, taps, block, block];
  const apart = op.transpose(op.reshape(weight, grid), [0, 1, 3, 2, 4]);
  const flat = op.reshape(apart, [rows / block, block, columns * taps, 1]);
  const whole = op.reshape(op.reorderOutput(flat, block), [rows, columns, high, wide]);
  const ranges = [outputs, inputs].flatMap((end, axis) =>
    end === [rows, columns][axis] ? [] : [{ axis, start: 0, end }],
  );
  return ranges.length === 0 ? whole : op.slice(whole, ranges);
}

/** A blocked weight with input and output channels in each other's place, in blocks again. */
export function swapChannels(weight: Value, block: number): Value {
  const [rows, columns, high, wide] = staticShape(weight) as [number, number, number, number];
  const grid = [rows / block, columns / block, high * wide * block * block];
  const moved = op.transpose(op.reshape(weight, grid), [1, 0, 2]);
  return op.reshape(transposeTiles(moved, block), [columns, rows, high, wide]);
}

/** Transposes each B x B tile that memory holds one after the other; the result is a list of tiles. */
export function transposeTiles(tiles: Value, block: number): Value {
  const count = sizeOf(staticShape(tiles)) / (block * block);
  return op.reorderOutput(op.reshape(tiles, [count, block, block, 1]), block);
}

/** A depthwise weight `[C, 1, kh, kw]` in blocks, in memory `[C/B, kh, kw, B]`. */
export function blockDepthwiseWeight(weight: Value, block: number): Value {
  const [channels, , high, wide] = staticShape(weight) as [number, number, number, number];
  const rows = wholeBlocks(channels, block);
  const whole = rows === channels ? weight : op.pad(weight, [0, 0, 0, 0, rows - channels, 0, 0, 0]);
  const apart = op.reshape(whole, [rows / block, block, high * wide]);
  return op.reshape(op.transpose(apart, [0, 2, 1]), [rows, 1, high, wide]);
}
