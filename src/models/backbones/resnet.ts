/**
 * ResNet: stages of residual blocks of 64 to 512 channels, basic (two 3x3) or bottleneck
 * (1x1, 3x3, 1x1 of four times the channels), the stride on the 3x3.
 * Source: He et al. 2016, table 1. Names are torchvision's.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type ConvOptions, type LayerFactory, layersOf } from "../layers.ts";
import { pooledClassifier } from "./classifier.ts";
import { fineTuning } from "./fine-tuning.ts";
import { BY_IMAGENET } from "./preprocessing.ts";

const CHANNELS = [64, 128, 256, 512] as const;

const VARIANTS = [
  { layers: 18, blocks: [2, 2, 2, 2], block: basic, millions: 11.7 },
  { layers: 34, blocks: [3, 4, 6, 3], block: basic, millions: 21.8 },
  { layers: 50, blocks: [3, 4, 6, 3], block: bottleneck, millions: 25.6 },
] as const;

export const RESNET: readonly BackboneEntry[] = VARIANTS.map((variant) => ({
  name: `resnet${variant.layers}`,
  title: `ResNet-${variant.layers}`,
  summary: `Residual blocks in ${variant.layers} layers, ${variant.millions} M parameters.`,
  size: 224,
  preprocessing: BY_IMAGENET,
  recipe: fineTuning({ size: 224 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x, variant),
      top: (y) => pooledClassifier(layers, y, "fc"),
    };
  },
}));

/** What a block does to x; `convNorm` makes the convolution and norm of that number in it. */
type Block = (x: Value, shape: BlockShape, convNorm: ConvNorm) => Value;
type BlockShape = { readonly channels: number; readonly stride: number };
type ConvNorm = (x: Value, part: number | "downsample", options: ConvOptions) => Value;

function features(
  layers: LayerFactory,
  x: Value,
  { blocks, block }: { blocks: readonly number[]; block: Block },
): Value {
  const linear = (input: Value, conv: string, norm: string, options: ConvOptions) =>
    layers.batchNorm(layers.conv(input, conv, { ...options, hasBias: false }), norm);
  let y = op.relu(linear(x, "conv1", "bn1", { channels: 64, kernel: 7, stride: 2 }));
  y = op.maxPool(y, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  CHANNELS.forEach((channels, stage) => {
    for (let index = 0; index < blocks[stage]!; index++) {
      const name = `layer${stage + 1}.${index}`;
      const convNorm: ConvNorm = (input, part, options) =>
        part === "downsample"
          ? linear(input, `${name}.downsample.0`, `${name}.downsample.1`, options)
          : linear(input, `${name}.conv${part}`, `${name}.bn${part}`, options);
      y = block(y, { channels, stride: stage > 0 && index === 0 ? 2 : 1 }, convNorm);
    }
  });
  return y;
}

function basic(x: Value, { channels, stride }: BlockShape, convNorm: ConvNorm): Value {
  const y = op.relu(convNorm(x, 1, { channels, stride }));
  return joined(convNorm(y, 2, { channels }), x, stride, convNorm);
}

function bottleneck(x: Value, { channels, stride }: BlockShape, convNorm: ConvNorm): Value {
  let y = op.relu(convNorm(x, 1, { channels, kernel: 1 }));
  y = op.relu(convNorm(y, 2, { channels, stride }));
  return joined(convNorm(y, 3, { channels: 4 * channels, kernel: 1 }), x, stride, convNorm);
}

/** The sum with the shortcut, which is x itself where the shapes agree. */
function joined(y: Value, x: Value, stride: number, convNorm: ConvNorm): Value {
  const channels = Number(y.shape[1]);
  const isSame = stride === 1 && Number(x.shape[1]) === channels;
  return op.relu(
    op.add(y, isSame ? x : convNorm(x, "downsample", { channels, kernel: 1, stride })),
  );
}
