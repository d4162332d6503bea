/** The earlier projects' baseline: pixels straight into dense layers. It knows no neighbourhoods. */
import { operators as op } from "../onnx/index.ts";
import { layersOf } from "./layers.ts";
import { type NetworkEntry, scaledBlocks, scaledChannels } from "./network.ts";

export const DENSE_BASELINE: NetworkEntry = {
  name: "dense",
  title: "Dense baseline",
  summary: "Flattened pixels and dense layers of 256 and 128: the floor that others must beat.",
  recipe: {
    size: 64,
    batch: 32,
    epochs: 20,
    learningRate: 3e-4,
    weightDecay: 0.01,
    optimizer: "adamw",
    augmentation: "none",
  },
  build:
    ({ width, depth, seed }) =>
    (x, outputs) => {
      const layers = layersOf(seed);
      let y = op.flatten(x);
      y = op.relu(layers.dense(y, "dense0", scaledChannels(256, width)));
      for (let index = 1; index <= scaledBlocks(1, depth); index++)
        y = op.relu(layers.dense(y, `dense${index}`, scaledChannels(128, width)));
      return layers.dense(op.dropout(y, 0.3), "head", outputs, { scale: 1 });
    },
};
