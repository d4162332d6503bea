/** Convolution of blocked tensors, with its gradient. */
import {
  type Activation,
  operators as op,
  staticShape,
  type Value,
  type Window,
} from "../../onnx/index.ts";
import type { CustomGradients } from "../custom-gradient.ts";
import { activationMask } from "./activation.ts";
import { blockedInputGradient } from "./input-gradient.ts";
import {
  blockDepthwiseWeight,
  blockWeight,
  firstOf,
  toBlocks,
  unblockWeight,
  wholeVector,
} from "./layout.ts";
import { blockedDepthwiseGradient, blockedWeightGradient } from "./weight-gradient.ts";

export interface BlockedConvolution {
  /** Blocked. */
  readonly x: Value;
  /** In the standard layout, as the bias is. */
  readonly weight: Value;
  readonly bias: Value | undefined;
  readonly isDepthwise: boolean;
  readonly window: Window;
  /** Blocked; added to the result before the activation. */
  readonly sum?: Value | undefined;
  readonly activation?: Activation | undefined;
}

/** The blocked result. Weight and bias are put into blocks in the graph, as they change with every step. */
export function blockedConvolution(
  { x, weight, bias, isDepthwise, window, sum, activation }: BlockedConvolution,
  block: number,
  customs: CustomGradients,
): Value {
  const [outputs, inputs] = staticShape(weight) as [number, number, ...number[]];
  const inBlocks = isDepthwise
    ? blockDepthwiseWeight(weight, block)
    : customs.group(
        [weight],
        () => blockWeight(weight, block),
        (gradient) => [unblockWeight(gradient, [outputs, inputs], block)],
      );
  const shape = staticShape(x);
  const options = {
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.padsBegin, ...window.padsEnd],
    ...(isDepthwise ? { group: shape[1]! } : {}),
  };
  const whole = bias && wholeVector(bias, block);
  const y: Value = customs.group(
    [x, inBlocks, bias, sum],
    () => op.blockedConv(x, inBlocks, whole, { ...options, sum, activation }),
    (received, needs) => {
      const gradient = activation ? op.mul(received, activationMask(y, activation)) : received;
      const operands = { x, shape, gradient, weight: inBlocks, isDepthwise, window, block };
      const ofWeight = isDepthwise ? blockedDepthwiseGradient : blockedWeightGradient;
      return [
        needs(0) ? (blockedInputGradient(operands) ?? transposed(operands, weight)) : undefined,
        needs(1) ? ofWeight(operands) : undefined,
        bias && needs(2) ? firstOf(channelSums(gradient), staticShape(bias)[0]!) : undefined,
        sum && needs(3) ? gradient : undefined,
      ];
    },
  );
  return y;
}

/** Sums by channel over images and positions, `[C]`. */
export function channelSums(x: Value): Value {
  const [batch, channels, ...size] = staticShape(x);
  const means = op.reshape(op.blockedGlobalAveragePool(x), [batch!, channels!]);
  const total = op.reduceSum(means, { axes: [0], keepsDims: false });
  return op.mul(total, x.builder.scalar(size.reduce((a, b) => a * b, 1)));
}

/** Sums of the products by channel, `[C]`: each channel of each image as one depthwise product. */
export function channelProducts(a: Value, b: Value): Value {
  const [batch, channels, ...size] = staticShape(a);
  const groups = batch! * channels!;
  const sums = op.blockedConv(
    op.reshape(a, [1, groups, ...size]),
    op.reshape(b, [groups, 1, ...size]),
    undefined,
    { group: groups },
  );
  return op.reduceSum(op.reshape(sums, [batch!, channels!]), { axes: [0], keepsDims: false });
}

/** dX through the standard layout, for windows that have no blocked form. */
function transposed(
  {
    shape,
    gradient,
    isDepthwise,
    window,
    block,
  }: {
    shape: readonly number[];
    gradient: Value;
    isDepthwise: boolean;
    window: Window;
    block: number;
  },
  weight: Value,
): Value {
  const [outputs, perGroup, ...kernel] = staticShape(weight) as [number, number, ...number[]];
  const { strides, dilations, padsBegin, padsEnd } = window;
  const produced = staticShape(gradient)
    .slice(2)
    .map(
      (length, axis) =>
        (length - 1) * strides[axis]! +
        dilations[axis]! * (kernel[axis]! - 1) +
        1 -
        padsBegin[axis]! -
        padsEnd[axis]!,
    );
  const dx = op.convTranspose(op.reorderOutput(gradient, outputs), weight, undefined, {
    strides,
    dilations,
    pads: [...padsBegin, ...padsEnd],
    group: isDepthwise ? outputs / perGroup : 1,
    outputPadding: shape.slice(2).map((size, axis) => size - produced[axis]!),
  });
  return toBlocks(dx, block);
}
