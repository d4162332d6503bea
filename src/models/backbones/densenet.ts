/**
 * DenseNet-121: every layer of a block reads what all before it made; between blocks channels and
 * sides are halved. Source: Huang et al. 2017, table 1, growth rate 32. Names are torchvision's.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type LayerFactory, layersOf } from "../layers.ts";
import { pooledClassifier } from "./classifier.ts";
import { fineTuning } from "./fine-tuning.ts";
import { BY_IMAGENET } from "./preprocessing.ts";

const GROWTH = 32;
/** Channels of the 1x1 convolution before each 3x3, in growth rates. */
const BOTTLENECK = 4;
const BLOCKS = [6, 12, 24, 16] as const;

export const DENSENET_121: BackboneEntry = {
  name: "densenet121",
  title: "DenseNet-121",
  summary: "Densely connected blocks, 8.0 M parameters: what most chest X-ray studies use.",
  size: 224,
  preprocessing: BY_IMAGENET,
  recipe: fineTuning({ size: 224 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x),
      top: (y) => pooledClassifier(layers, y, "classifier"),
    };
  },
};

function features(layers: LayerFactory, x: Value): Value {
  const stem = { channels: 64, kernel: 7, stride: 2, hasBias: false };
  let y = normRelu(layers, layers.conv(x, "features.conv0", stem), "features.norm0");
  y = op.maxPool(y, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  BLOCKS.forEach((count, index) => {
    const number = index + 1;
    for (let layer = 1; layer <= count; layer++)
      y = op.concat([y, dense(layers, y, `features.denseblock${number}.denselayer${layer}`)], 1);
    if (number < BLOCKS.length) y = transition(layers, y, `features.transition${number}`);
  });
  return normRelu(layers, y, "features.norm5");
}

function dense(layers: LayerFactory, x: Value, name: string): Value {
  const inner = { channels: BOTTLENECK * GROWTH, kernel: 1, hasBias: false };
  let y = layers.conv(normRelu(layers, x, `${name}.norm1`), `${name}.conv1`, inner);
  y = normRelu(layers, y, `${name}.norm2`);
  return layers.conv(y, `${name}.conv2`, { channels: GROWTH, hasBias: false });
}

function transition(layers: LayerFactory, x: Value, name: string): Value {
  const half = { channels: Number(x.shape[1]) / 2, kernel: 1, hasBias: false };
  const y = layers.conv(normRelu(layers, x, `${name}.norm`), `${name}.conv`, half);
  return op.averagePool(y, { kernel: [2, 2], strides: [2, 2] });
}

function normRelu(layers: LayerFactory, x: Value, name: string): Value {
  return op.relu(layers.batchNorm(x, name));
}
