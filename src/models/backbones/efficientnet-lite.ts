/**
 * EfficientNet-Lite: EfficientNet's inverted residuals without squeeze-and-excitation, ReLU6 in
 * place of swish; stem and last convolution keep their widths at every scale.
 * Source: Tan and Le 2019, table 1 and section 3.3; tensorflow/tpu, efficientnet/lite. Names are
 * efficientnet-pytorch's.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type ConvOptions, type LayerFactory, layersOf } from "../layers.ts";

const STAGES = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1, kernel: 3 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2, kernel: 3 },
  { expansion: 6, channels: 40, blocks: 2, stride: 2, kernel: 5 },
  { expansion: 6, channels: 80, blocks: 3, stride: 2, kernel: 3 },
  { expansion: 6, channels: 112, blocks: 3, stride: 1, kernel: 5 },
  { expansion: 6, channels: 192, blocks: 4, stride: 2, kernel: 5 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1, kernel: 3 },
] as const;

const SCALES = [
  { width: 1, depth: 1, size: 224, batch: 32, millions: 4.7 },
  { width: 1, depth: 1.1, size: 240, batch: 32, millions: 5.4 },
  { width: 1.1, depth: 1.2, size: 260, batch: 16, millions: 6.1 },
] as const;

export const EFFICIENTNET_LITE: readonly BackboneEntry[] = SCALES.map((scale, index) => ({
  name: `efficientnet-lite${index}`,
  title: `EfficientNet-Lite${index}`,
  summary: `Inverted residuals with ReLU6, ${scale.millions} M parameters: fast on any processor.`,
  size: scale.size,
  preprocessing: { order: "rgb", mean: [127, 127, 127], deviation: [128, 128, 128] },
  recipe: {
    size: scale.size,
    batch: scale.batch,
    epochs: 4,
    learningRate: 3e-4,
    weightDecay: 0.02,
    optimizer: "adamw",
    augmentation: "light",
  },
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x, scale),
      top: (y) => layers.dense(op.flatten(op.globalAveragePool(y)), "_fc", 1000, { scale: 1 }),
    };
  },
}));

function features(
  layers: LayerFactory,
  x: Value,
  { width, depth }: { width: number; depth: number },
): Value {
  let y = convNorm(layers, x, ["_conv_stem", "_bn0"], { channels: 32, stride: 2 });
  let index = 0;
  STAGES.forEach(({ channels, blocks, stride, ...stage }, place) => {
    const isEnd = place === 0 || place === STAGES.length - 1;
    const count = isEnd ? blocks : Math.ceil(blocks * depth);
    for (let block = 0; block < count; block++)
      y = invertedResidual(layers, y, `_blocks.${index++}`, {
        ...stage,
        channels: widened(channels, width),
        stride: block === 0 ? stride : 1,
      });
  });
  return convNorm(layers, y, ["_conv_head", "_bn1"], { channels: 1280, kernel: 1 });
}

/** A multiple of eight that lies no more than a tenth below. Source: tensorflow/tpu, round_filters. */
function widened(channels: number, width: number): number {
  const rounded = Math.max(8, Math.floor((channels * width + 4) / 8) * 8);
  return rounded < 0.9 * channels * width ? rounded + 8 : rounded;
}

function invertedResidual(
  layers: LayerFactory,
  x: Value,
  name: string,
  options: { expansion: number; channels: number; stride: number; kernel: number },
): Value {
  const { expansion, channels, stride, kernel } = options;
  const inner = Number(x.shape[1]) * expansion;
  const names = (part: string, norm: string) => [`${name}.${part}`, `${name}.${norm}`] as const;
  const depthwise = { channels: inner, group: inner, stride, kernel };
  let y = x;
  if (expansion > 1)
    y = convNorm(layers, y, names("_expand_conv", "_bn0"), { channels: inner, kernel: 1 });
  y = convNorm(layers, y, names("_depthwise_conv", "_bn1"), depthwise);
  y = linear(layers, y, names("_project_conv", "_bn2"), { channels, kernel: 1 });
  return stride === 1 && Number(x.shape[1]) === channels ? op.add(y, x) : y;
}

type Names = readonly [conv: string, norm: string];

function convNorm(layers: LayerFactory, x: Value, names: Names, options: ConvOptions): Value {
  return op.clip(linear(layers, x, names, options), 0, 6);
}

function linear(layers: LayerFactory, x: Value, [conv, norm]: Names, options: ConvOptions): Value {
  const y = layers.conv(x, conv, { ...options, hasBias: false, padding: "same-upper" });
  return layers.batchNorm(y, norm, { epsilon: 1e-3 });
}
