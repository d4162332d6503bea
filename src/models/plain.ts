/**
 * Plain stacks of 3x3 convolutions in the manner of VGG, with batch norm and global pooling in place
 * of its dense layers. Source: Simonyan and Zisserman 2015; Ioffe and Szegedy 2015.
 */
import { operators as op } from "../onnx/index.ts";
import { layersOf } from "./layers.ts";
import { type NetworkEntry, scaledBlocks, scaledChannels } from "./network.ts";

export const PLAIN: NetworkEntry = {
  name: "plain",
  title: "Plain (VGG-like)",
  summary: "Four stages of two 3x3 convolutions with batch norm, 24 to 192 channels.",
  recipe: {
    size: 128,
    batch: 32,
    epochs: 16,
    learningRate: 1e-3,
    weightDecay: 0.02,
    optimizer: "adamw",
    augmentation: "light",
  },
  build:
    ({ width, depth, seed }) =>
    (x, outputs) => {
      const layers = layersOf(seed);
      let y = x;
      for (let stage = 0; stage < 4; stage++) {
        const channels = scaledChannels(24 * 2 ** stage, width);
        for (let block = 0; block < scaledBlocks(2, depth); block++) {
          const name = `stage${stage}/block${block}`;
          y = layers.conv(y, `${name}/conv`, { channels, hasBias: false });
          y = op.relu(layers.batchNorm(y, `${name}/norm`));
        }
        if (stage < 3) y = op.maxPool(y, { kernel: [2, 2], strides: [2, 2] });
      }
      y = op.flatten(op.globalAveragePool(y));
      return layers.dense(op.dropout(y, 0.2), "head", outputs, { scale: 1 });
    },
};
