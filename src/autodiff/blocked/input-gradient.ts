/**
 * The input gradient of a blocked convolution, as blocked convolutions with the flipped weight. With
 * a stride s each of the s x s phases of dX is a convolution with every s-th tap; the phases are then
 * woven together.
 */
import { filled, operators as op, staticShape, type Value, type Window } from "../../onnx/index.ts";
import { swapChannels } from "./layout.ts";

export interface BlockedInputOperands {
  /** Of X, blocked. */
  readonly shape: readonly number[];
  readonly gradient: Value;
  readonly weight: Value;
  readonly isDepthwise: boolean;
  readonly window: Window;
  readonly block: number;
}

/** Taps of one phase along one axis, last first, and where the first of them meets dY. */
interface Phase {
  readonly taps: readonly number[];
  readonly first: number;
}

/** dX, blocked; undefined where no blocked form fits (the window leaves X unpadded far behind). */
export function blockedInputGradient(operands: BlockedInputOperands): Value | undefined {
  const { shape, gradient, weight, isDepthwise, window, block } = operands;
  const { strides, dilations, padsBegin } = window;
  const [, , ...kernel] = staticShape(weight);
  if (strides.some((stride, axis) => stride > 1 && dilations[axis] !== 1)) return undefined;
  const counts = shape.slice(2).map((size, axis) => Math.ceil(size / strides[axis]!));
  const output = staticShape(gradient).slice(2);
  const phases = strides.map((stride, axis) =>
    Array.from({ length: stride }, (_, phase) =>
      phaseOf(kernel[axis]!, padsBegin[axis]! + phase, stride, dilations[axis]!),
    ),
  );
  const [rows, columns] = phases as [Phase[], Phase[]];
  const padsOf = (phase: Phase, axis: number) => {
    const reach = (phase.taps.length - 1) * dilations[axis]!;
    return [-phase.first, counts[axis]! + phase.first + reach - output[axis]!] as const;
  };
  const isFitting = phases.every((list, axis) =>
    list.every((phase) => phase.taps.length === 0 || padsOf(phase, axis).every((pad) => pad >= 0)),
  );
  if (!isFitting) return undefined;
  const turned = isDepthwise ? weight : swapChannels(weight, block);
  const partOf = (row: Phase, column: Phase): Value => {
    if (row.taps.length === 0 || column.taps.length === 0) return zeros(gradient, operands, counts);
    const [top, bottom] = padsOf(row, 0);
    const [left, right] = padsOf(column, 1);
    return op.blockedConv(
      gradient,
      picked(turned, [row.taps, column.taps], block, isDepthwise),
      undefined,
      {
        dilations,
        pads: [top, left, bottom, right],
        ...(isDepthwise ? { group: shape[1]! } : {}),
      },
    );
  };
  const parts = rows.map((row) => columns.map((column) => partOf(row, column)));
  return woven(parts, operands, counts);
}

/**
 * dX[stride t + phase] meets dY[t + (offset - k) / stride] under tap k, where offset = pad + phase.
 * Only taps of the same remainder do; from the last to the first they meet ever later positions.
 */
function phaseOf(kernel: number, offset: number, stride: number, dilation: number): Phase {
  const taps = Array.from({ length: kernel }, (_, tap) => kernel - 1 - tap).filter(
    (tap) => (offset - tap * dilation) % stride === 0,
  );
  const [last] = taps;
  return { taps, first: last === undefined ? 0 : (offset - last * dilation) / stride };
}

/** The taps named, in that order (evenly spaced, descending). */
function picked(
  weight: Value,
  taps: readonly [readonly number[], readonly number[]],
  block: number,
  isDepthwise: boolean,
): Value {
  const [rows, columns, high, wide] = staticShape(weight) as [number, number, number, number];
  const isWhole = taps.every((list) => list.length === 1) && high * wide === 1;
  if (isWhole) return weight;
  const inner = isDepthwise ? block : block * block;
  const grid = [rows / block, isDepthwise ? 1 : columns / block, high, wide, inner];
  const ranges = taps.map((list, axis) => {
    const step = list.length > 1 ? list[1]! - list[0]! : -1;
    const beyond = list.at(-1)! + step;
    return {
      axis: axis + 2,
      start: list[0]!,
      end: beyond < 0 ? Number.MIN_SAFE_INTEGER : beyond,
      step,
    };
  });
  const chosen = op.slice(op.reshape(weight, grid), ranges);
  return op.reshape(chosen, [rows, columns, taps[0].length, taps[1].length]);
}

function zeros(
  { builder }: Value,
  { shape }: BlockedInputOperands,
  counts: readonly number[],
): Value {
  const zero = builder.constant(filled([1, 1, 1, 1], 0));
  return op.expand(zero, [shape[0]!, shape[1]!, ...counts]);
}

/** Phases side by side, cut to the size of X. */
function woven(
  parts: readonly (readonly Value[])[],
  { shape, block }: BlockedInputOperands,
  [high, wide]: readonly number[],
): Value {
  const [batch, channels, ...size] = shape as [number, number, number, number];
  const images = (batch * channels) / block;
  const rows = parts.map((columns) => {
    if (columns.length === 1) return columns[0]!;
    const apart = columns.map((part) => op.reshape(part, [images * high!, wide!, 1, block]));
    return op.concat(apart as [Value, ...Value[]], 2);
  });
  const width = wide! * parts[0]!.length;
  const apart = rows.map((row) => op.reshape(row, [images, high!, 1, width * block]));
  const whole = rows.length === 1 ? apart[0]! : op.concat(apart as [Value, ...Value[]], 2);
  const height = high! * rows.length;
  const grid = op.reshape(whole, [images, height, width, block]);
  const ranges = [height, width].flatMap((length, axis) =>
    length === size[axis] ? [] : [{ axis: axis + 1, start: 0, end: size[axis]! }],
  );
  return op.reshape(ranges.length === 0 ? grid : op.slice(grid, ranges), shape);
}
