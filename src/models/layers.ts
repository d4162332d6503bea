/**
 * Layers: a typed operator with its parameters, seeded and named. The name of a parameter is its
 * place in the network ("stage1/block0/conv.weight"), so that patterns can freeze it.
 */
import {
  filled,
  ints,
  operators as op,
  sizeOf,
  string,
  type Tensor,
  type Value,
  windowOf,
} from "../onnx/index.ts";
import { randomStream } from "../random.ts";

export interface LayerFactory {
  /** Convolution, padded by "same" unless told otherwise; the bias is left out before a norm. */
  conv(x: Value, name: string, options: ConvOptions): Value;
  /** A dense layer along the last axis. */
  dense(x: Value, name: string, outputs: number, options?: { scale?: number }): Value;
  /** A depthwise convolution, then one of 1x1: one layer, of two weights and no bias. */
  separableConv(x: Value, name: string, options: SeparableConvOptions): Value;
  batchNorm(x: Value, name: string, options?: BatchNormOptions): Value;
  /** Along the last axis. */
  layerNorm(x: Value, name: string, options?: { epsilon?: number }): Value;
}

export interface ConvOptions {
  readonly channels: number;
  /** The side of a square, or height and width. */
  readonly kernel?: number | readonly [number, number];
  readonly stride?: number;
  readonly group?: number;
  readonly hasBias?: boolean;
  /**
   * "same" pads both ends alike, for odd kernels. "same-upper" is TensorFlow's: where the stride
   * leaves an odd number to pad, the bottom and right get one more. "valid" leaves the border out.
   */
  readonly padding?: Padding;
}

export type Padding = "same" | "same-upper" | "valid";

export type SeparableConvOptions = Pick<ConvOptions, "channels" | "kernel" | "padding">;

export interface BatchNormOptions {
  readonly initialScale?: number;
  /** Without one, the scale is a constant 1. */
  readonly hasScale?: boolean;
  readonly epsilon?: number;
}

/** Layers whose initial weights come from `seed` and the parameter's name. */
export function layersOf(seed: number): LayerFactory {
  return {
    conv(x, name, options) {
      const weight = kernelOf(seed, x, name, "weight", options);
      const { channels, hasBias = true } = options;
      const bias = hasBias ? x.builder.parameter(`${name}.bias`, filled([channels], 0)) : undefined;
      return convolved(x, weight, bias, options);
    },
    separableConv(x, name, options) {
      const inputs = Number(x.shape[1]);
      const spatial = { ...options, channels: inputs, group: inputs };
      const mixing = { channels: options.channels, kernel: 1 };
      const depthwise = kernelOf(seed, x, name, "depthwise", spatial);
      const pointwise = kernelOf(seed, x, name, "pointwise", mixing);
      return convolved(convolved(x, depthwise, undefined, spatial), pointwise, undefined, mixing);
    },
    dense(x, name, outputs, { scale = Math.SQRT2 } = {}) {
      const inputs = Number(x.shape.at(-1));
      const weight = x.builder.parameter(
        `${name}.weight`,
        heNormal(seed, name, [outputs, inputs], inputs, scale),
      );
      const bias = x.builder.parameter(`${name}.bias`, filled([outputs], 0));
      if (x.shape.length === 2) return op.gemm(x, weight, bias, { transB: true });
      return op.add(op.matMul(x, op.transpose(weight, [1, 0])), bias);
    },
    batchNorm(x, name, { initialScale = 1, hasScale = true, epsilon = 1e-5 } = {}) {
      const channels = Number(x.shape[1]);
      const parameter = (part: string, value: number) =>
        x.builder.parameter(`${name}.${part}`, filled([channels], value));
      const parameters = {
        scale: hasScale
          ? parameter("scale", initialScale)
          : x.builder.constant(filled([channels], 1)),
        bias: parameter("bias", 0),
        mean: parameter("mean", 0),
        variance: parameter("variance", 1),
      };
      return op.batchNormalization(x, parameters, { epsilon });
    },
    layerNorm(x, name, { epsilon = 1e-5 } = {}) {
      const width = Number(x.shape.at(-1));
      const scale = x.builder.parameter(`${name}.scale`, filled([width], 1));
      const bias = x.builder.parameter(`${name}.bias`, filled([width], 0));
      return op.layerNormalization(x, { scale, bias }, { epsilon });
    },
  };
}

function kernelOf(
  seed: number,
  x: Value,
  layer: string,
  part: "weight" | "depthwise" | "pointwise",
  { channels, kernel = 3, group = 1 }: ConvOptions,
): Value {
  const [height, width] = sides(kernel);
  const perGroup = Number(x.shape[1]) / group;
  const stream = part === "weight" ? layer : `${layer}.${part}`;
  const dims = [channels, perGroup, height, width];
  const start = heNormal(seed, stream, dims, perGroup * height * width);
  return x.builder.parameter(`${layer}.${part}`, start);
}

function convolved(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  { kernel = 3, stride = 1, group = 1, padding = "same" }: ConvOptions,
): Value {
  const pads = windowPads(x, { kernel, stride, padding });
  return op.conv(x, weight, bias, { strides: [stride, stride], pads, group });
}

const sides = (kernel: number | readonly [number, number]): readonly [number, number] =>
  typeof kernel === "number" ? [kernel, kernel] : kernel;

/** The padding of a window over `[N, C, H, W]`: begin of both spatial axes, then end of both. */
export function windowPads(
  x: Value,
  {
    kernel,
    stride,
    padding,
  }: {
    readonly kernel: number | readonly [number, number];
    readonly stride: number;
    readonly padding: Padding;
  },
): number[] {
  const edge = (side: number) => (padding === "same" ? Math.floor((side - 1) / 2) : 0);
  const edges = sides(kernel).map(edge);
  if (padding !== "same-upper") return [...edges, ...edges];
  const attributes = { auto_pad: string("SAME_UPPER"), strides: ints([stride, stride]) };
  const { padsBegin, padsEnd } = windowOf(attributes, x.shape.slice(2), sides(kernel));
  return [...padsBegin, ...padsEnd];
}

/**
 * Normal with standard deviation scale / sqrt(fan), drawn when first read: a network whose weights
 * are replaced by published ones draws none. Source: He et al. 2015, equation 10.
 */
function heNormal(
  seed: number,
  name: string,
  dims: readonly number[],
  fan: number,
  scale = Math.SQRT2,
): Tensor {
  let data: Float32Array | undefined;
  const draw = () => {
    const random = randomStream(seed, "initial-weights", name);
    const deviation = scale / Math.sqrt(fan);
    const drawn = new Float32Array(sizeOf(dims));
    for (let index = 0; index < drawn.length; index++) drawn[index] = random.normal() * deviation;
    return drawn;
  };
  return {
    type: "float32",
    dims,
    get data() {
      data ??= draw();
      return data;
    },
  };
}
