/**
 * A small residual network of basic blocks. The last norm of each block starts at zero, so that the
 * network starts as its shortcuts. Source: He et al. 2016; Goyal et al. 2017, section 5.1.
 */
import { operators as op, type Value } from "../onnx/index.ts";
import { type LayerFactory, layersOf } from "./layers.ts";
import { type NetworkEntry, scaledBlocks, scaledChannels } from "./network.ts";

export const RESIDUAL: NetworkEntry = {
  name: "residual",
  title: "Residual",
  summary: "Four stages of residual blocks, 24 to 192 channels, on a strided stem.",
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
      const stem = layers.conv(x, "stem/conv", {
        channels: scaledChannels(24, width),
        kernel: 5,
        stride: 2,
        hasBias: false,
      });
      let y = op.relu(layers.batchNorm(stem, "stem/norm"));
      y = op.maxPool(y, { kernel: [2, 2], strides: [2, 2] });
      for (let stage = 0; stage < 4; stage++) {
        const channels = scaledChannels(24 * 2 ** stage, width);
        for (let block = 0; block < scaledBlocks(2, depth); block++) {
          const stride = stage > 0 && block === 0 ? 2 : 1;
          y = basicBlock(layers, y, `stage${stage}/block${block}`, { channels, stride });
        }
      }
      y = op.flatten(op.globalAveragePool(y));
      return layers.dense(op.dropout(y, 0.2), "head", outputs, { scale: 1 });
    },
};

function basicBlock(
  layers: LayerFactory,
  x: Value,
  name: string,
  { channels, stride }: { channels: number; stride: number },
): Value {
  let y = layers.conv(x, `${name}/conv0`, { channels, stride, hasBias: false });
  y = op.relu(layers.batchNorm(y, `${name}/norm0`));
  y = layers.conv(y, `${name}/conv1`, { channels, hasBias: false });
  y = layers.batchNorm(y, `${name}/norm1`, { initialScale: 0 });
  const isSame = stride === 1 && Number(x.shape[1]) === channels;
  return op.relu(op.add(y, isSame ? x : shortcut(layers, x, name, { channels, stride })));
}

/** Averages before the 1x1 convolution, so that no pixel is dropped. Source: He et al. 2019, ResNet-D. */
function shortcut(
  layers: LayerFactory,
  x: Value,
  name: string,
  { channels, stride }: { channels: number; stride: number },
): Value {
  const pooled =
    stride === 1 ? x : op.averagePool(x, { kernel: [2, 2], strides: [2, 2], isCeil: true });
  const y = layers.conv(pooled, `${name}/shortcut`, { channels, kernel: 1, hasBias: false });
  return layers.batchNorm(y, `${name}/shortcut-norm`);
}
