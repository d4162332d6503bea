/**
 * The inverted residual: 1x1 expansion, depthwise convolution, linear 1x1 projection.
 * Source: Sandler et al. 2018, MobileNetV2, table 1.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { ConvOptions } from "../layers.ts";

export interface InvertedResidual {
  readonly expansion: number;
  readonly channels: number;
  readonly stride: number;
  readonly kernel: number;
}

/** A convolution and its norm; networks name them differently. */
export type ConvNorm = (
  x: Value,
  part: "expand" | "depthwise" | "project",
  options: ConvOptions,
) => Value;

export function invertedResidual(
  x: Value,
  { expansion, channels, stride, kernel }: InvertedResidual,
  convNorm: ConvNorm,
): Value {
  const inner = Number(x.shape[1]) * expansion;
  let y = x;
  if (expansion > 1) y = relu6(convNorm(y, "expand", { channels: inner, kernel: 1 }));
  y = relu6(convNorm(y, "depthwise", { channels: inner, group: inner, stride, kernel }));
  y = convNorm(y, "project", { channels, kernel: 1 });
  return stride === 1 && Number(x.shape[1]) === channels ? op.add(y, x) : y;
}

export function relu6(x: Value): Value {
  return op.clip(x, 0, 6);
}
