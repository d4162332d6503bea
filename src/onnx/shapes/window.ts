/** Sliding windows: padding, strides and dilations shared by convolution and pooling. */
import { type Attributes, type Dimension, intOf, intsOf, stringOf } from "../graph.ts";

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  readonly output: readonly Dimension[];
}

/**
 * The window's explicit padding and output size for the spatial dimensions given.
 * Source: ONNX operators Conv and MaxPool (auto_pad, ceil_mode).
 */
export function windowOf(
  attributes: Attributes,
  spatial: readonly Dimension[],
  kernel: readonly number[],
): Window {
  const rank = spatial.length;
  const strides = intsOf(attributes, "strides") ?? Array<number>(rank).fill(1);
  const dilations = intsOf(attributes, "dilations") ?? Array<number>(rank).fill(1);
  const pads = intsOf(attributes, "pads") ?? Array<number>(2 * rank).fill(0);
  const autoPad = stringOf(attributes, "auto_pad", "NOTSET");
  const isCeil = intOf(attributes, "ceil_mode", 0) === 1;
  const padsBegin: number[] = [];
  const padsEnd: number[] = [];
  const output: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const size = spatial[axis]!;
    const stride = strides[axis]!;
    const extent = (kernel[axis]! - 1) * dilations[axis]! + 1;
    let begin = autoPad === "NOTSET" ? pads[axis]! : 0;
    let end = autoPad === "NOTSET" ? pads[axis + rank]! : 0;
    if (autoPad.startsWith("SAME") && typeof size === "number") {
      const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
      begin = autoPad === "SAME_LOWER" ? Math.ceil(total / 2) : Math.floor(total / 2);
      end = total - begin;
    }
    padsBegin.push(begin);
    padsEnd.push(end);
    output.push(
      typeof size === "number" ? outputSize(size, extent, stride, begin, end, isCeil) : null,
    );
  }
  return { kernel, strides, dilations, padsBegin, padsEnd, output };
}

function outputSize(
  size: number,
  extent: number,
  stride: number,
  begin: number,
  end: number,
  isCeil: boolean,
): number {
  const steps = (size + begin + end - extent) / stride;
  if (!isCeil) return Math.floor(steps) + 1;
  const count = Math.ceil(steps) + 1;
  // A last window that would start in the end padding is left out.
  return (count - 1) * stride >= size + begin ? count - 1 : count;
}
