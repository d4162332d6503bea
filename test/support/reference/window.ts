/** Sliding windows as the standard's text defines them, one spatial axis at a time. */
import { type Attributes, intOf, intsOf, stringOf } from "../../../src/onnx/index.ts";

export interface Axis {
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
  readonly outputs: number;
}

/** Source: ONNX Conv-22, MaxPool-22, AveragePool-22. */
export function windowAxes(
  attributes: Attributes,
  sizes: readonly number[],
  kernel: readonly number[],
): Axis[] {
  const autoPad = stringOf(attributes, "auto_pad", "NOTSET");
  const isCeil = intOf(attributes, "ceil_mode", 0) === 1;
  return sizes.map((size, axis) => {
    const taps = kernel[axis]!;
    const stride = intsOf(attributes, "strides")?.[axis] ?? 1;
    const dilation = intsOf(attributes, "dilations")?.[axis] ?? 1;
    const extent = dilation * (taps - 1) + 1;
    const pads = intsOf(attributes, "pads");
    let begin = pads?.[axis] ?? 0;
    let end = pads?.[axis + sizes.length] ?? 0;
    if (autoPad === "VALID") [begin, end] = [0, 0];
    if (autoPad.startsWith("SAME")) {
      const missing = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
      const half = Math.floor(missing / 2);
      [begin, end] = autoPad === "SAME_UPPER" ? [half, missing - half] : [missing - half, half];
    }
    const room = size + begin + end - extent;
    let outputs = Math.floor(room / stride) + 1;
    // Rounding up never adds a window that starts in the padding at the end.
    if (isCeil && room % stride !== 0 && outputs * stride < size + begin) outputs++;
    return { size, taps, stride, dilation, begin, end, outputs };
  });
}

/** Where a tap of a window reads; it may lie outside the input. */
export function tapPosition(axis: Axis, output: number, tap: number): number {
  return output * axis.stride + tap * axis.dilation - axis.begin;
}
