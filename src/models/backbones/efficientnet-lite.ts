/**
 * EfficientNet-Lite: EfficientNet's inverted residuals without squeeze-and-excitation, ReLU6 in
 * place of swish; stem and last convolution keep their widths at every scale.
 * Source: Tan and Le 2019, table 1 and section 3.3; tensorflow/tpu, efficientnet/lite. Names are
 * efficientnet-pytorch's.
 */
import type { Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type ConvOptions, type LayerFactory, layersOf } from "../layers.ts";
import { pooledClassifier } from "./classifier.ts";
import { fineTuning } from "./fine-tuning.ts";
import { type ConvNorm, invertedResidual, relu6 } from "./inverted-residual.ts";

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
  recipe: fineTuning({ size: scale.size, batch: scale.batch }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x, scale),
      top: (y) => pooledClassifier(layers, y, "_fc"),
    };
  },
}));

function features(
  layers: LayerFactory,
  x: Value,
  { width, depth }: { width: number; depth: number },
): Value {
  let y = relu6(linear(layers, x, ["_conv_stem", "_bn0"], { channels: 32, stride: 2 }));
  let index = 0;
  STAGES.forEach(({ channels, blocks, stride, ...stage }, place) => {
    const isEnd = place === 0 || place === STAGES.length - 1;
    const count = isEnd ? blocks : Math.ceil(blocks * depth);
    for (let block = 0; block < count; block++) {
      const options = {
        ...stage,
        channels: widened(channels, width),
        stride: block === 0 ? stride : 1,
      };
      y = invertedResidual(y, options, namedParts(layers, `_blocks.${index++}`));
    }
  });
  return relu6(linear(layers, y, ["_conv_head", "_bn1"], { channels: 1280, kernel: 1 }));
}

/** A multiple of eight that lies no more than a tenth below. Source: tensorflow/tpu, round_filters. */
function widened(channels: number, width: number): number {
  const rounded = Math.max(8, Math.floor((channels * width + 4) / 8) * 8);
  return rounded < 0.9 * channels * width ? rounded + 8 : rounded;
}

const PARTS = {
  expand: ["_expand_conv", "_bn0"],
  depthwise: ["_depthwise_conv", "_bn1"],
  project: ["_project_conv", "_bn2"],
} as const;

function namedParts(layers: LayerFactory, name: string): ConvNorm {
  return (x, part, options) => {
    const [conv, norm] = PARTS[part];
    return linear(layers, x, [`${name}.${conv}`, `${name}.${norm}`], options);
  };
}

function linear(
  layers: LayerFactory,
  x: Value,
  [conv, norm]: readonly [conv: string, norm: string],
  options: ConvOptions,
): Value {
  const y = layers.conv(x, conv, { ...options, hasBias: false, padding: "same-upper" });
  return layers.batchNorm(y, norm, { epsilon: 1e-3 });
}
