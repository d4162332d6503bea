/**
 * A small modern network of inverted residual blocks: 1x1 expansion, depthwise 3x3, 1x1 projection.
 * Source: Sandler et al. 2018, MobileNetV2, table 1 (without the ReLU6: plain ReLU trains as well here).
 */
import { operators as op, type Value } from "../onnx/index.ts";
import { type LayerFactory, layersOf } from "./layers.ts";
import { type NetworkEntry, scaledBlocks, scaledChannels } from "./network.ts";

const EXPANSION = 4;
const STAGES = [
  { channels: 16, blocks: 1, stride: 1 },
  { channels: 24, blocks: 2, stride: 2 },
  { channels: 48, blocks: 2, stride: 2 },
  { channels: 96, blocks: 2, stride: 2 },
] as const;

export const DEPTHWISE: NetworkEntry = {
  name: "depthwise",
  title: "Depthwise",
  summary: "Inverted residual blocks, 16 to 96 channels: few parameters, small file.",
  recipe: {
    size: 160,
    batch: 32,
    epochs: 12,
    learningRate: 2e-3,
    weightDecay: 0.05,
    optimizer: "adamw",
    augmentation: "light",
    averageDecay: 0.995,
  },
  build:
    ({ width, depth, seed }) =>
    (x, outputs) => {
      const layers = layersOf(seed);
      const convNorm = (y: Value, name: string, channels: number, stride: number, kernel: number) =>
        op.relu(
          layers.batchNorm(
            layers.conv(y, `${name}/conv`, { channels, stride, kernel, hasBias: false }),
            `${name}/norm`,
          ),
        );
      let y = convNorm(x, "stem", scaledChannels(16, width), 2, 5);
      STAGES.forEach(({ channels, blocks, stride }, stage) => {
        for (let block = 0; block < scaledBlocks(blocks, depth); block++)
          y = invertedResidual(layers, y, `stage${stage}/block${block}`, {
            channels: scaledChannels(channels, width),
            stride: block === 0 ? stride : 1,
          });
      });
      y = convNorm(y, "last", scaledChannels(256, width), 1, 1);
      return layers.dense(op.dropout(op.flatten(op.globalAveragePool(y)), 0.2), "head", outputs, {
        scale: 1,
      });
    },
};

function invertedResidual(
  layers: LayerFactory,
  x: Value,
  name: string,
  { channels, stride }: { channels: number; stride: number },
): Value {
  const inner = Number(x.shape[1]) * EXPANSION;
  const step = (y: Value, part: string, options: Parameters<LayerFactory["conv"]>[2]) =>
    layers.batchNorm(
      layers.conv(y, `${name}/${part}`, { ...options, hasBias: false }),
      `${name}/${part}-norm`,
    );
  let y = op.relu(step(x, "expand", { channels: inner, kernel: 1 }));
  y = op.relu(step(y, "depthwise", { channels: inner, stride, group: inner }));
  y = step(y, "project", { channels, kernel: 1 });
  return stride === 1 && Number(x.shape[1]) === channels ? op.add(y, x) : y;
}
