/**
 * The weight gradient of a convolution, in several forms that give equal results. Which is fastest
 * depends on the shape (docs/performance.md); `weightGradient` chooses.
 */
import { operators as op, staticShape, type Value, type Window } from "../../onnx/index.ts";

export interface WeightGradientOperands {
  readonly x: Value;
  /** dY, `[N, O, ...]`. */
  readonly gradient: Value;
  readonly weight: Value;
  readonly group: number;
  readonly window: Window;
}

type Form = (operands: WeightGradientOperands) => Value;

/** dW, in the form that suits the shape. */
export function weightGradient(operands: WeightGradientOperands): Value {
  const [, perGroup, ...kernel] = staticShape(operands.weight);
  const channels = staticShape(operands.x)[1]!;
  const positions = staticShape(operands.gradient)
    .slice(2)
    .reduce((a, b) => a * b, 1);
  const taps = kernel.reduce((a, b) => a * b, 1);
  if (perGroup === 1 && operands.group === channels && channels > 1) return byGroupedConv(operands);
  if (operands.group === 1 && taps > 1 && perGroup! <= 4) return byColumns(operands);
  if (operands.group === 1 && taps > 1 && positions <= 14 * 14) return byRows(operands);
  return byImage(operands);
}

/** X padded, and for each tap of the kernel the part of it that meets dY, `[N, C, ...]`. */
function tapSlices(
  { x, gradient, weight, window }: WeightGradientOperands,
  firstAxis = 2,
): Value[] {
  const kernel = staticShape(weight).slice(2);
  const output = staticShape(gradient).slice(2);
  const padded = padSpatial(x, window, firstAxis, kernel, output);
  return positionsOf(kernel).map((tap) => {
    const ranges = tap.map((offset, axis) => {
      const start = offset * window.dilations[axis]!;
      const step = window.strides[axis]!;
      return { axis: axis + firstAxis, start, end: start + (output[axis]! - 1) * step + 1, step };
    });
    const sizes = staticShape(padded);
    const isWhole = ranges.every(
      ({ axis, start, end, step }) => start === 0 && step === 1 && end === sizes[axis],
    );
    return isWhole ? padded : op.slice(padded, ranges);
  });
}

function positionsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (tuples, taps) =>
      tuples.flatMap((tuple) => Array.from({ length: taps }, (_, tap) => [...tuple, tap])),
    [[]],
  );
}

/** Pads by what the window needs; crops where a window leaves a remainder at the end. */
function padSpatial(
  x: Value,
  window: Window,
  firstAxis: number,
  kernel: readonly number[],
  output: readonly number[],
): Value {
  const sizes = staticShape(x);
  const begin = sizes.map(() => 0);
  const end = sizes.map(() => 0);
  kernel.forEach((taps, axis) => {
    const reach =
      (output[axis]! - 1) * window.strides[axis]! + (taps - 1) * window.dilations[axis]! + 1;
    begin[axis + firstAxis] = window.padsBegin[axis]!;
    end[axis + firstAxis] = Math.max(0, reach - window.padsBegin[axis]! - sizes[axis + firstAxis]!);
  });
  const isUnpadded = [...begin, ...end].every((amount) => amount === 0);
  return isUnpadded ? x : op.pad(x, [...begin, ...end]);
}

/** Per image in NCHW: a batched product for each tap, summed over the batch. Fastest on large maps. */
export const byImage: Form = (operands) => {
  const { gradient, weight, group } = operands;
  const [batch, outChannels, ...output] = staticShape(gradient);
  const [, perGroup, ...kernel] = staticShape(weight);
  const positions = output.reduce((a, b) => a * b, 1);
  const lead = group === 1 ? [batch!] : [batch!, group];
  const rows = op.reshape(gradient, [...lead, outChannels! / group, positions]);
  const order = group === 1 ? [0, 2, 1] : [0, 1, 3, 2];
  const taps = tapSlices(operands).map((tap) => {
    const columns = op.transpose(op.reshape(tap, [...lead, perGroup!, positions]), order);
    return op.reduceSum(op.matMul(rows, columns), { axes: [0], keepsDims: false });
  });
  return assemble(taps, [outChannels!, perGroup!], kernel);
};

/** One product per image with all taps side by side (im2col). Fastest with few input channels. */
export const byColumns: Form = (operands) => {
  const { gradient, weight } = operands;
  const [batch, outChannels, ...output] = staticShape(gradient);
  const [, channels, ...kernel] = staticShape(weight);
  const positions = output.reduce((a, b) => a * b, 1);
  const slices = tapSlices(operands).map((tap) => op.reshape(tap, [batch!, channels!, positions]));
  const columns = op.concat(slices as [Value, ...Value[]], 1);
  const rows = op.reshape(gradient, [batch!, outChannels!, positions]);
  const products = op.matMul(rows, op.transpose(columns, [0, 2, 1]));
  const total = op.reduceSum(products, { axes: [0], keepsDims: false });
  const taps = kernel.reduce((a, b) => a * b, 1);
  const split = op.transpose(op.reshape(total, [outChannels!, taps, channels!]), [0, 2, 1]);
  return op.reshape(split, [outChannels!, channels!, ...kernel]);
};

/** One product per tap over the whole batch, channels last. Fastest on small, deep maps. */
export const byRows: Form = (operands) => {
  const { x, gradient, weight } = operands;
  const [batch, outChannels, ...output] = staticShape(gradient);
  const [, channels, ...kernel] = staticShape(weight);
  const length = batch! * output.reduce((a, b) => a * b, 1);
  const rank = kernel.length;
  const last = [0, ...Array.from({ length: rank }, (_, axis) => axis + 2), 1];
  const channelFirst = [1, 0, ...Array.from({ length: rank }, (_, axis) => axis + 2)];
  const rows = op.reshape(op.transpose(gradient, channelFirst), [outChannels!, length]);
  const taps = tapSlices({ ...operands, x: op.transpose(x, last) }, 1).map((tap) =>
    op.matMul(rows, op.reshape(tap, [length, channels!])),
  );
  return assemble(taps, [outChannels!, channels!], kernel);
};

function assemble(taps: Value[], matrix: readonly number[], kernel: readonly number[]): Value {
  const [first, ...rest] = taps;
  if (first && rest.length === 0) return op.reshape(first, [...flat(matrix), ...kernel]);
  const columns = taps.map((tap) => op.reshape(tap, [...flat(matrix), 1]));
  return op.reshape(op.concat(columns as [Value, ...Value[]], 2), [...flat(matrix), ...kernel]);
}

const flat = ([rows, columns]: readonly number[]): number[] => [rows!, columns!];

/**
 * Depthwise: the image as input, dY as kernel, in one Conv of N C groups; strides and dilations
 * change places. 1.1-4.6x faster than a pass per tap (ARCHITECTURE, 7x7 to 112x112).
 */
export const byGroupedConv: Form = ({ x, gradient, weight, window }) => {
  const [batch, channels, ...size] = staticShape(x);
  const [, outChannels, ...output] = staticShape(gradient);
  const kernel = staticShape(weight).slice(2);
  const groups = batch! * channels!;
  const image = op.reshape(x, [1, groups, ...size]);
  const taps = op.conv(
    image,
    op.reshape(gradient, [batch! * outChannels!, 1, ...output]),
    undefined,
    {
      group: groups,
      strides: window.dilations,
      dilations: window.strides,
      pads: [...window.padsBegin, ...window.padsEnd],
    },
  );
  const ranges = kernel.flatMap((count, axis) =>
    staticShape(taps)[axis + 2] === count ? [] : [{ axis: axis + 2, start: 0, end: count }],
  );
  const cropped = ranges.length === 0 ? taps : op.slice(taps, ranges);
  const perImage = op.reshape(cropped, [batch!, outChannels!, ...kernel]);
  return op.reshape(op.reduceSum(perImage, { axes: [0], keepsDims: false }), [
    outChannels!,
    1,
    ...kernel,
  ]);
};
