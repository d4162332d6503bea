/**
 * Typed constructors of ONNX Runtime's operators on channel-blocked tensors (domain
 * com.microsoft.nchwc). A blocked tensor says `[N, C, H, W]`, C a multiple of the block B, and lies in
 * memory as `[N, C/B, H, W, B]`, so that elementwise operators work on it unchanged. For graphs in
 * memory only: a saved model keeps to the standard. The block is the machine's: blocked.node.ts.
 */
import type { Value } from "../build.ts";
import {
  type Attribute,
  type Attributes,
  BLOCKED_DOMAIN,
  floats,
  int,
  ints,
  string,
} from "../graph.ts";
import type { ConvAttributes } from "./convolution.ts";
import { windowAttributes } from "./window.ts";

export type Activation =
  | { readonly kind: "Relu" }
  | { readonly kind: "Clip"; readonly low: number; readonly high: number };

export interface BlockedConvOptions extends ConvAttributes {
  /** Added before the activation; may be overwritten by the result. */
  readonly sum?: Value | undefined;
  readonly activation?: Activation | undefined;
}

function blocked(
  operator: string,
  inputs: readonly [Value, ...(Value | undefined)[]],
  attributes: Attributes,
  outputs: number | readonly string[] = 1,
): Value {
  const options = { domain: BLOCKED_DOMAIN, outputs };
  return inputs[0].builder.node(operator, inputs, attributes, options)[0]!;
}

/** From the standard layout; the channels must be a multiple of the block. */
export function reorderInput(x: Value): Value {
  return blocked("ReorderInput", [x], {});
}

/** From `[N, H, W, C]`; the channels must be a multiple of the block. */
export function reorderChannelsLast(x: Value): Value {
  return blocked("ReorderInput", [x], { channels_last: int(1) });
}

/** To the standard layout; channels beyond `channels`, which only fill the last block, are left out. */
export function reorderOutput(x: Value, channels: number, name?: string): Value {
  return blocked("ReorderOutput", [x], { channels: int(channels) }, name ? [name] : 1);
}

/**
 * Convolution with a blocked weight: `[O, I, kh, kw]` in memory as `[O/B, I/B, kh, kw, B, B]` (input
 * channels before output channels), a depthwise one as `[C/B, 1, kh, kw, B]`.
 */
export function blockedConv(
  x: Value,
  weight: Value,
  bias?: Value,
  { sum, activation, ...options }: BlockedConvOptions = {},
): Value {
  return blocked("Conv", [x, weight, bias, sum], {
    ...windowAttributes(options),
    kernel_shape: ints(weight.shape.slice(2).map(Number)),
    ...(options.group !== undefined && options.group !== 1 ? { group: int(options.group) } : {}),
    ...(activation ? activationAttributes(activation) : {}),
  });
}

function activationAttributes(activation: Activation): Record<string, Attribute> {
  return {
    activation: string(activation.kind),
    ...(activation.kind === "Clip"
      ? { activation_params: floats([activation.low, activation.high]) }
      : {}),
  };
}

/** Means over the positions, `[N, C, 1, 1]`: of so small a tensor both layouts are the same. */
export function blockedGlobalAveragePool(x: Value): Value {
  return blocked("GlobalAveragePool", [x], {});
}
