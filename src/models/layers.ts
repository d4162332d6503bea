/**
 * Layers: a typed operator with its parameters, seeded and named. The name of a parameter is its
 * place in the network ("stage1/block0/conv.weight"), so that patterns can freeze it.
 */
import { filled, float32, operators as op, type Tensor, type Value } from "../onnx/index.ts";
import { randomStream } from "../random.ts";

export interface LayerFactory {
  /** Convolution with "same" padding for odd kernels; the bias is left out before a norm. */
  conv(x: Value, name: string, options: ConvOptions): Value;
  dense(x: Value, name: string, outputs: number, options?: { scale?: number }): Value;
  batchNorm(x: Value, name: string, options?: { initialScale?: number }): Value;
}

export interface ConvOptions {
  readonly channels: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly group?: number;
  readonly hasBias?: boolean;
  /** "valid" leaves the border out, as Keras does by default. */
  readonly padding?: "same" | "valid";
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
      const edge = padding === "same" ? Math.floor((kernel - 1) / 2) : 0;
      return op.conv(x, weight, bias, {
        strides: [stride, stride],
        pads: [edge, edge, edge, edge],
        group,
      });
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
    batchNorm(x, name, { initialScale = 1 } = {}) {
      const channels = Number(x.shape[1]);
      const parameter = (part: string, value: number) =>
        x.builder.parameter(`${name}.${part}`, filled([channels], value));
      return op.batchNormalization(x, {
        scale: parameter("scale", initialScale),
        bias: parameter("bias", 0),
        mean: parameter("mean", 0),
        variance: parameter("variance", 1),
      });
    },
  };
}

/** Normal with standard deviation scale / sqrt(fan). Source: He et al. 2015, equation 10. */
function heNormal(
  seed: number,
  name: string,
  dims: readonly number[],
  fan: number,
  scale = Math.SQRT2,
): Tensor {
  const random = randomStream(seed, "initial-weights", name);
  const size = dims.reduce((a, b) => a * b, 1);
  const deviation = scale / Math.sqrt(fan);
  return float32(
    dims,
    Float32Array.from({ length: size }, () => random.normal() * deviation),
  );
}
