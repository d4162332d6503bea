/** The earlier projects' small network: three convolutions with pooling, then a dense layer. */
import { operators as op } from "../onnx/index.ts";
import { layersOf } from "./layers.ts";
import { type NetworkEntry, scaledBlocks, scaledChannels } from "./network.ts";

export const SMALL_CNN: NetworkEntry = {
  name: "cnn",
  title: "Three convolutions",
  summary: "Convolutions of 32, 64 and 128 channels, each pooled, and a dense layer of 128.",
  recipe: {
    size: 96,
    batch: 32,
    epochs: 8,
    learningRate: 5e-4,
    weightDecay: 0.01,
    optimizer: "adamw",
    augmentation: "light",
  },
  build:
    ({ width, depth, seed }) =>
    (x, outputs) => {
      const layers = layersOf(seed);
      let y = x;
      for (let stage = 0; stage < scaledBlocks(3, depth); stage++) {
        const channels = scaledChannels(32 * 2 ** stage, width);
        y = layers.conv(y, `conv${stage}`, { channels });
        // Relu and maximum commute; pooled first, Relu and its gradient touch a quarter of the elements.
        y = op.relu(op.maxPool(y, { kernel: [2, 2], strides: [2, 2] }));
      }
      y = op.relu(layers.dense(op.flatten(y), "dense", scaledChannels(128, width)));
      return layers.dense(op.dropout(y, 0.5), "head", outputs, { scale: 1 });
    },
};
