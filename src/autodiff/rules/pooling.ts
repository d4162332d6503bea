/** Gradients of pooling. Where maxima tie, MaxPool's goes to the first, GlobalMaxPool's is shared. */
import {
  filled,
  intOf,
  intsOf,
  operators as op,
  staticShape,
  type Value,
  type Window,
  windowOf,
} from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

function poolWindow(context: GradientContext): Window {
  const kernel =
    intsOf(context.attributes, "kernel_shape") ?? context.unsupported("no kernel_shape");
  return windowOf(context.attributes, staticShape(context.input(0)).slice(2), kernel);
}

/**
 * dX = dY put where the maxima were. Windows that do not overlap need MaxUnpool only: 425 instead of
 * 710 ms for a whole training step against comparing and masking (ARCHITECTURE).
 */
const maxPool: GradientRule = (context) => {
  const x = context.input(0);
  const shape = staticShape(x);
  const { kernel, strides, dilations } = poolWindow(context);
  if (intOf(context.attributes, "storage_order", 0) !== 0)
    context.unsupported("storage_order is not 0");
  const indices = context.output(1);
  const output = staticShape(context.gradient).slice(2);
  // ONNX Runtime refuses to unpool where the windows, as if unpadded, reach beyond the input.
  const isUnpoolable = kernel.every(
    (taps, axis) =>
      (taps - 1) * dilations[axis]! < strides[axis]! &&
      (output[axis]! - 1) * strides[axis]! + taps <= shape[axis + 2]!,
  );
  if (isUnpoolable) return [op.maxUnpool(context.gradient, indices, shape, { kernel, strides })];
  const size = shape.reduce((a, b) => a * b, 1);
  const zeros = op.expand(x.builder.scalar(0), [size]);
  const count = staticShape(context.gradient).reduce((a, b) => a * b, 1);
  const scattered = op.scatterElements(
    zeros,
    op.reshape(indices, [count]),
    op.reshape(context.gradient, [count]),
    { reduction: "add" },
  );
  return [op.reshape(scattered, shape)];
};

/** dX = each window's gradient over its number of elements, spread over the window. */
const averagePool: GradientRule = (context) => {
  const x = context.input(0);
  const [batch, channels, ...size] = staticShape(x);
  const window = poolWindow(context);
  const { kernel, strides, dilations, padsBegin, padsEnd } = window;
  const output = staticShape(context.gradient).slice(2);
  const shared = op.mul(context.gradient, inverseCounts(context, window, size, output));
  const isTiling =
    kernel.every((taps, axis) => taps === strides[axis]! && output[axis]! * taps === size[axis]) &&
    [...padsBegin, ...padsEnd].every((pad) => pad === 0) &&
    dilations.every((dilation) => dilation === 1);
  if (isTiling) {
    const apart = [batch!, channels!, ...output.flatMap((length) => [length, 1])];
    const spread = [
      batch!,
      channels!,
      ...output.flatMap((length, axis) => [length, kernel[axis]!]),
    ];
    return [op.reshape(op.expand(op.reshape(shared, apart), spread), staticShape(x))];
  }
  const images = op.reshape(shared, [batch! * channels!, 1, ...output]);
  const ones = x.builder.constant(filled([1, 1, ...kernel], 1));
  const outputPadding = size.map((length, axis) => {
    const extent = (kernel[axis]! - 1) * dilations[axis]! + 1;
    const reach = (output[axis]! - 1) * strides[axis]! + extent - padsBegin[axis]!;
    return Math.max(0, length - reach);
  });
  // A last window may reach beyond the end (ceil_mode): what it would write there is cut off.
  const cut = size.map((length, axis) => {
    const extent = (kernel[axis]! - 1) * dilations[axis]! + 1;
    return Math.max(0, (output[axis]! - 1) * strides[axis]! + extent - padsBegin[axis]! - length);
  });
  const spread = op.convTranspose(images, ones, undefined, {
    strides,
    dilations,
    pads: [...padsBegin, ...cut],
    outputPadding: outputPadding.map((extra, axis) => Math.min(extra, strides[axis]! - 1)),
  });
  return [op.reshape(padTo(spread, [batch! * channels!, 1, ...size]), staticShape(x))];
};

function padTo(x: Value, shape: readonly number[]): Value {
  const missing = staticShape(x).map((length, axis) => shape[axis]! - length);
  if (missing.every((amount) => amount === 0)) return x;
  return op.pad(x, [...missing.map(() => 0), ...missing]);
}

/** 1 / number of elements that each window averages, `[1, 1, ...]`; Source: ONNX AveragePool-22. */
function inverseCounts(
  context: GradientContext,
  window: Window,
  size: readonly number[],
  output: readonly number[],
): Value {
  const includesPadding = intOf(context.attributes, "count_include_pad", 0) === 1;
  const perAxis = output.map((length, axis) =>
    Array.from({ length }, (_, position) =>
      countAlong(window, axis, size[axis]!, position, includesPadding),
    ),
  );
  const counts = perAxis.reduce<number[]>(
    (products, axis) => products.flatMap((product) => axis.map((count) => product * count)),
    [1],
  );
  const values = Float32Array.from(counts, (count) => 1 / count);
  return context.builder.constant({ type: "float32", dims: [1, 1, ...output], data: values });
}

function countAlong(
  { kernel, strides, dilations, padsBegin, padsEnd }: Window,
  axis: number,
  size: number,
  position: number,
  includesPadding: boolean,
): number {
  const first = position * strides[axis]! - padsBegin[axis]!;
  const low = includesPadding ? -padsBegin[axis]! : 0;
  const high = size + (includesPadding ? padsEnd[axis]! : 0);
  let count = 0;
  for (let tap = 0; tap < kernel[axis]!; tap++) {
    const at = first + tap * dilations[axis]!;
    if (at >= low && at < high) count++;
  }
  return count;
}

/** dX = dY / number of positions, everywhere. */
const globalAveragePool: GradientRule = (context) => {
  const shape = staticShape(context.input(0));
  const positions = shape.slice(2).reduce((a, b) => a * b, 1);
  const share = op.mul(context.gradient, context.builder.scalar(1 / positions));
  return [op.expand(share, shape)];
};

/** dX = dY at the maxima, in equal shares where several tie. */
const globalMaxPool: GradientRule = (context) => {
  const x = context.input(0);
  const axes = x.shape.slice(2).map((_, axis) => axis + 2);
  const isMaximum = op.cast(op.equal(x, context.output(0)), "float32");
  const share = op.div(context.gradient, op.reduceSum(isMaximum, { axes }));
  return [op.mul(isMaximum, share)];
};

export const POOLING_GRADIENTS: GradientTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};
