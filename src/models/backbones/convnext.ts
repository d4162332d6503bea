/**
 * ConvNeXt-Tiny: a residual network with a transformer's proportions: depthwise 7x7, layer norm,
 * and two 1x1 convolutions that are dense layers by pixel.
 * Source: Liu et al. 2022, figure 4 and section 3. Names are torchvision's.
 */
import { filled, operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type LayerFactory, layersOf } from "../layers.ts";
import { fineTuning } from "./fine-tuning.ts";
import { BY_IMAGENET } from "./preprocessing.ts";

const STAGES = [
  { channels: 96, blocks: 3 },
  { channels: 192, blocks: 3 },
  { channels: 384, blocks: 9 },
  { channels: 768, blocks: 3 },
] as const;
const NORM = { epsilon: 1e-6 };
const TO_PIXELS = [0, 2, 3, 1];
const TO_CHANNELS = [0, 3, 1, 2];

export const CONVNEXT_TINY: BackboneEntry = {
  name: "convnext-tiny",
  title: "ConvNeXt-Tiny",
  summary: "Depthwise 7x7 convolutions and layer norms, 28.6 M parameters.",
  size: 224,
  preprocessing: BY_IMAGENET,
  recipe: fineTuning({ size: 224, learningRate: 1e-4 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x),
      top: (y) => {
        const pooled = op.flatten(op.globalAveragePool(y));
        const normed = layers.layerNorm(pooled, "classifier.0", NORM);
        return layers.dense(normed, "classifier.2", 1000, { scale: 1 });
      },
    };
  },
};

function features(layers: LayerFactory, x: Value): Value {
  const patches = { kernel: 4, stride: 4, padding: "valid" } as const;
  let y = layers.conv(x, "features.0.0", { ...patches, channels: STAGES[0].channels });
  y = channelNorm(layers, y, "features.0.1");
  STAGES.forEach(({ channels, blocks }, stage) => {
    if (stage > 0) {
      const halved = { channels, kernel: 2, stride: 2, padding: "valid" } as const;
      y = channelNorm(layers, y, `features.${2 * stage}.0`);
      y = layers.conv(y, `features.${2 * stage}.1`, halved);
    }
    for (let index = 0; index < blocks; index++)
      y = block(layers, y, `features.${2 * stage + 1}.${index}`);
  });
  return y;
}

function block(layers: LayerFactory, x: Value, name: string): Value {
  const channels = Number(x.shape[1]);
  const part = (index: number) => `${name}.block.${index}`;
  let y = layers.conv(x, part(0), { channels, kernel: 7, group: channels });
  y = layers.layerNorm(op.transpose(y, TO_PIXELS), part(2), NORM);
  y = op.gelu(layers.dense(y, part(3), 4 * channels));
  y = op.transpose(layers.dense(y, part(5), channels, { scale: 1 }), TO_CHANNELS);
  const scale = x.builder.parameter(`${name}.layer_scale`, filled([channels, 1, 1], 1e-6));
  return op.add(x, op.mul(y, scale));
}

/** A layer norm over the channels of every pixel. */
function channelNorm(layers: LayerFactory, x: Value, name: string): Value {
  const normed = layers.layerNorm(op.transpose(x, TO_PIXELS), name, NORM);
  return op.transpose(normed, TO_CHANNELS);
}
