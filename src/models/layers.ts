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
  dense(x: Value, name: string, outputs: number, options?: { scale?: number }): Value;
  batchNorm(x: Value, name: string, options?: { initialScale?: number; epsilon?: number }): Value;
}

export interface ConvOptions {
  readonly channels: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly group?: number;
  readonly hasBias?: boolean;
  /**
   * "same" pads both ends alike, for odd kernels. "same-upper" is TensorFlow's: where the stride
   * leaves an odd number to pad, the bottom and right get one more. "valid" leaves the border out.
   */
  readonly padding?: "same" | "same-upper" | "valid";
}

/** Layers whose initial weights come from `seed` and the parameter's name. */
export function layersOf(seed: number): LayerFactory {
  return {
    conv(
      x,
      name,
      { channels, kernel = 3, stride = 1, group = 1, hasBias = true, padding = "same" },
    ) {
      const perGroup = Number(x.shape[1]) / group;
      const dims = [channels, perGroup, kernel, kernel];
      const fan = perGroup * kernel * kernel;
      const weight = x.builder.parameter(`${name}.weight`, heNormal(seed, name, dims, fan));
      const bias = hasBias ? x.builder.parameter(`${name}.bias`, filled([channels], 0)) : undefined;
      const strides = [stride, stride];
      const pads = padsOf(padding, x, kernel, strides);
      return op.conv(x, weight, bias, { strides, pads, group });
    },
    dense(x, name, outputs, { scale = Math.SQRT2 } = {}) {
      const inputs = Number(x.shape[1]);
      const weight = heNormal(seed, name, [outputs, inputs], inputs, scale);
      return op.gemm(
        x,
        x.builder.parameter(`${name}.weight`, weight),
        x.builder.parameter(`${name}.bias`, filled([outputs], 0)),
        { transB: true },
      );
    },
    batchNorm(x, name, { initialScale = 1, epsilon = 1e-5 } = {}) {
      const channels = Number(x.shape[1]);
      const parameter = (part: string, value: number) =>
        x.builder.parameter(`${name}.${part}`, filled([channels], value));
      const parameters = {
        scale: parameter("scale", initialScale),
        bias: parameter("bias", 0),
        mean: parameter("mean", 0),
        variance: parameter("variance", 1),
      };
      return op.batchNormalization(x, parameters, { epsilon });
    },
  };
}

/** Begin of both spatial axes, then end of both. */
function padsOf(
  padding: "same" | "same-upper" | "valid",
  x: Value,
  kernel: number,
  strides: readonly number[],
): number[] {
  const edge = padding === "same" ? Math.floor((kernel - 1) / 2) : 0;
  if (padding !== "same-upper") return [edge, edge, edge, edge];
  const attributes = { auto_pad: string("SAME_UPPER"), strides: ints(strides) };
  const { padsBegin, padsEnd } = windowOf(attributes, x.shape.slice(2), [kernel, kernel]);
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
