/**
 * Gradients of Conv and ConvTranspose. A convolution Y = X * W has
 *   dX = dY *^T W   (a transposed convolution, or for stride 1 a convolution with the flipped weight)
 *   dW[o, c, k] = sum over n, p of dY[n, o, p] X[n, c, stride p + dilation k - pad]
 *   dB = sum over n, p of dY
 * The forms of dW are in convolution-weight.ts.
 */
import {
  intOf,
  operators as op,
  staticShape,
  stringOf,
  type Value,
  type Window,
  windowOf,
} from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";
import { weightGradient } from "./convolution-weight.ts";

const conv: GradientRule = (context) => {
  const x = context.input(0);
  const weight = context.input(1);
  const { gradient } = context;
  const group = intOf(context.attributes, "group", 1);
  const window = windowOf(context.attributes, x.shape.slice(2), staticShape(weight).slice(2));
  return [
    context.needs(0) ? inputGradient(x, weight, gradient, group, window) : undefined,
    context.needs(1) ? weightGradient({ x, gradient, weight, group, window }) : undefined,
    context.needs(2) ? biasGradient(gradient) : undefined,
  ];
};

/** dX. For stride 1 the convolution with the flipped weight is 1.3-2x faster than ConvTranspose. */
function inputGradient(
  x: Value,
  weight: Value,
  gradient: Value,
  group: number,
  window: Window,
): Value {
  const [, inChannels, ...size] = staticShape(x);
  const [outChannels, perGroup, ...kernel] = staticShape(weight);
  const { strides, dilations, padsBegin, padsEnd } = window;
  const reach = kernel.map((taps, axis) => dilations[axis]! * (taps - 1));
  const begin = reach.map((extent, axis) => extent - padsBegin[axis]!);
  const end = reach.map((extent, axis) => extent - padsEnd[axis]!);
  const isFlippable =
    strides.every((stride) => stride === 1) && [...begin, ...end].every((pad) => pad >= 0);
  const isDepthwise = perGroup === 1 && group === inChannels && group === outChannels;
  if (isFlippable && (group === 1 || isDepthwise)) {
    const flipped = flipSpatial(weight, kernel);
    const turned = isDepthwise ? flipped : op.transpose(flipped, swapChannels(kernel.length));
    return op.conv(gradient, turned, undefined, { dilations, pads: [...begin, ...end], group });
  }
  const outputSize = staticShape(gradient).slice(2);
  const outputPadding = size.map((length, axis) => {
    const produced =
      (outputSize[axis]! - 1) * strides[axis]! +
      reach[axis]! +
      1 -
      padsBegin[axis]! -
      padsEnd[axis]!;
    return length - produced;
  });
  return op.convTranspose(gradient, weight, undefined, {
    strides,
    dilations,
    group,
    pads: [...padsBegin, ...padsEnd],
    outputPadding,
  });
}

function swapChannels(spatialRank: number): number[] {
  return [1, 0, ...Array.from({ length: spatialRank }, (_, axis) => axis + 2)];
}

function flipSpatial(weight: Value, kernel: readonly number[]): Value {
  const ranges = kernel.flatMap((taps, axis) =>
    taps === 1 ? [] : [{ axis: axis + 2, start: -1, end: Number.MIN_SAFE_INTEGER, step: -1 }],
  );
  return ranges.length === 0 ? weight : op.slice(weight, ranges);
}

function biasGradient(gradient: Value): Value {
  const axes = gradient.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  return op.reduceSum(gradient, { axes, keepsDims: false });
}

/** Y = X *^T W: dX = dY * W, and dW is that of a convolution with the roles of X and Y exchanged. */
const convTranspose: GradientRule = (context) => {
  const x = context.input(0);
  const weight = context.input(1);
  const { gradient } = context;
  const group = intOf(context.attributes, "group", 1);
  const window = transposedWindow(context, staticShape(x).slice(2), staticShape(weight).slice(2));
  const { strides, dilations, padsBegin, padsEnd } = window;
  const pads = [...padsBegin, ...padsEnd];
  const dx = () => {
    const full = op.conv(gradient, weight, undefined, { strides, dilations, pads, group });
    const ranges = staticShape(x).flatMap((size, axis) =>
      axis >= 2 && staticShape(full)[axis] !== size ? [{ axis, start: 0, end: size }] : [],
    );
    return ranges.length === 0 ? full : op.slice(full, ranges);
  };
  return [
    context.needs(0) ? dx() : undefined,
    context.needs(1)
      ? weightGradient({ x: gradient, gradient: x, weight, group, window })
      : undefined,
    context.needs(2) ? biasGradient(gradient) : undefined,
  ];
};

/** The window of the convolution that a ConvTranspose transposes. Source: ONNX ConvTranspose-22. */
function transposedWindow(
  context: GradientContext,
  input: readonly number[],
  kernel: readonly number[],
): Window {
  const { attributes, gradient } = context;
  const output = staticShape(gradient).slice(2);
  const explicit = windowOf(
    { ...attributes, auto_pad: { kind: "string", value: "NOTSET" } },
    output,
    kernel,
  );
  const autoPad = stringOf(attributes, "auto_pad", "NOTSET");
  if (!autoPad.startsWith("SAME") && !attributes.output_shape) return explicit;
  const totals = input.map((size, axis) => {
    const extent = (kernel[axis]! - 1) * explicit.dilations[axis]! + 1;
    return Math.max(0, (size - 1) * explicit.strides[axis]! + extent - output[axis]!);
  });
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total, axis) => total - small[axis]!);
  const isUpper = autoPad === "SAME_UPPER";
  return { ...explicit, padsBegin: isUpper ? small : large, padsEnd: isUpper ? large : small };
}

export const CONVOLUTION_GRADIENTS: GradientTable = {
  Conv: conv,
  ConvTranspose: convTranspose,
};
