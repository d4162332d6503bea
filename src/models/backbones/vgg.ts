/**
 * VGG16 and VGG19 as Keras Applications has them: five blocks of 3x3 convolutions, each followed by
 * a halving; no norms. The classifier is most of the parameters.
 * Source: Simonyan and Zisserman 2015, table 1, columns D and E; keras.applications.vgg16 and vgg19.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type LayerFactory, layersOf } from "../layers.ts";
import { fineTuning } from "./fine-tuning.ts";

const CHANNELS = [64, 128, 256, 512, 512] as const;

const DEPTHS = [
  { name: "vgg16", title: "VGG16", convolutions: [2, 2, 3, 3, 3], millions: 138.4 },
  { name: "vgg19", title: "VGG19", convolutions: [2, 2, 4, 4, 4], millions: 143.7 },
] as const;

export const VGG: readonly BackboneEntry[] = DEPTHS.map(
  ({ name, title, convolutions, millions }) => ({
    name,
    title,
    summary: `Plain 3x3 convolutions, ${millions} M parameters (123.6 M of them in its classifier).`,
    size: 224,
    // Caffe's: blue first, ImageNet's means taken away, no scaling.
    preprocessing: { order: "bgr", mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1] },
    recipe: fineTuning({ size: 224, learningRate: 1e-4 }),
    build({ seed }) {
      const layers = layersOf(seed);
      return {
        features: (x) => features(layers, x, convolutions),
        top: (y) => classifier(layers, y),
      };
    },
  }),
);

function features(layers: LayerFactory, x: Value, convolutions: readonly number[]): Value {
  return convolutions.reduce((input, count, block) => {
    let y = input;
    for (let index = 1; index <= count; index++)
      y = op.relu(layers.conv(y, `block${block + 1}_conv${index}`, { channels: CHANNELS[block]! }));
    return op.maxPool(y, { kernel: [2, 2], strides: [2, 2] });
  }, x);
}

function classifier(layers: LayerFactory, features: Value): Value {
  // Keras flattens with the channels last, and its weights are in that order.
  const flat = op.flatten(op.transpose(features, [0, 2, 3, 1]));
  const hidden = ["fc1", "fc2"].reduce((y, name) => op.relu(layers.dense(y, name, 4096)), flat);
  return layers.dense(hidden, "predictions", 1000, { scale: 1 });
}
