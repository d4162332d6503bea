/** Typed constructors of convolution and pooling. */
import type { Value } from "../build.ts";
import { type Attribute, int, ints } from "../graph.ts";
import { type WindowAttributes, windowAttributes } from "./window.ts";

export type { WindowAttributes } from "./window.ts";

export interface ConvAttributes extends WindowAttributes {
  readonly group?: number | undefined;
}

export interface PoolAttributes extends WindowAttributes {
  readonly kernel: readonly number[];
  readonly isCeil?: boolean | undefined;
}

/** Convolution of `[N, C, ...]` with a weight `[O, C / group, ...]`. */
export function conv(x: Value, weight: Value, bias?: Value, options: ConvAttributes = {}): Value {
  const kernel = weight.shape.slice(2).map(Number);
  return x.builder.node("Conv", [x, weight, bias], {
    ...windowAttributes(options),
    kernel_shape: ints(kernel),
    ...(options.group !== undefined && options.group !== 1 ? { group: int(options.group) } : {}),
  })[0]!;
}

export interface ConvTransposeAttributes extends ConvAttributes {
  readonly outputPadding?: readonly number[] | undefined;
}

/** Transposed convolution of `[N, C, ...]` with a weight `[C, O / group, ...]`. */
export function convTranspose(
  x: Value,
  weight: Value,
  bias?: Value,
  options: ConvTransposeAttributes = {},
): Value {
  return x.builder.node("ConvTranspose", [x, weight, bias], {
    ...windowAttributes(options),
    kernel_shape: ints(weight.shape.slice(2).map(Number)),
    ...(options.group !== undefined && options.group !== 1 ? { group: int(options.group) } : {}),
    ...(options.outputPadding ? { output_padding: ints(options.outputPadding) } : {}),
  })[0]!;
}

function poolAttributes(options: PoolAttributes): Record<string, Attribute> {
  return {
    ...windowAttributes(options),
    kernel_shape: ints(options.kernel),
    ...(options.isCeil ? { ceil_mode: int(1) } : {}),
  };
}

export function maxPool(x: Value, options: PoolAttributes): Value {
  return x.builder.node("MaxPool", [x], poolAttributes(options))[0]!;
}

/** The maxima and the flat positions (into the whole tensor) that they came from. */
export function maxPoolWithIndices(
  x: Value,
  options: PoolAttributes,
): { maxima: Value; indices: Value } {
  const [maxima, indices] = x.builder.node("MaxPool", [x], poolAttributes(options), { outputs: 2 });
  return { maxima: maxima!, indices: indices! };
}

export function averagePool(
  x: Value,
  options: PoolAttributes & { readonly countsPadding?: boolean | undefined },
): Value {
  return x.builder.node("AveragePool", [x], {
    ...poolAttributes(options),
    ...(options.countsPadding ? { count_include_pad: int(1) } : {}),
  })[0]!;
}

export function globalAveragePool(x: Value): Value {
  return x.builder.node("GlobalAveragePool", [x])[0]!;
}

export function globalMaxPool(x: Value): Value {
  return x.builder.node("GlobalMaxPool", [x])[0]!;
}

/** Puts values back where `maxPoolWithIndices` found them; zero elsewhere. */
export function maxUnpool(
  x: Value,
  indices: Value,
  shape: readonly number[],
  options: PoolAttributes,
): Value {
  return x.builder.node("MaxUnpool", [x, indices, x.builder.integers(shape)], {
    kernel_shape: ints(options.kernel),
    ...(options.strides ? { strides: ints(options.strides) } : {}),
    ...(options.pads ? { pads: ints(options.pads) } : {}),
  })[0]!;
}
