/**
 * ResNet-18 as published: 7x7 stem, overlapping max pooling, [2, 2, 2, 2] basic blocks of 64 to 512
 * channels, strided 1x1 shortcuts. Source: He et al. 2016, table 1 (11.2 M parameters with one logit).
 */
import { type LayerFactory, layersOf, type Network } from "../../src/models/index.ts";
import { operators as op, type Value } from "../../src/onnx/index.ts";

const STAGES = [64, 128, 256, 512] as const;
const BLOCKS = 2;

export function resNet18(seed: number): Network {
  return (x, outputs) => {
    const layers = layersOf(seed);
    const stem = { channels: 64, kernel: 7, stride: 2, hasBias: false };
    let y = layers.batchNorm(layers.conv(x, "stem/conv", stem), "stem/norm");
    y = op.maxPool(op.relu(y), { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
    STAGES.forEach((channels, stage) => {
      for (let block = 0; block < BLOCKS; block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        y = basicBlock(layers, y, `stage${stage}/block${block}`, { channels, stride });
      }
    });
    return layers.dense(op.flatten(op.globalAveragePool(y)), "head", outputs, { scale: 1 });
  };
}

function basicBlock(
  layers: LayerFactory,
  x: Value,
  name: string,
  { channels, stride }: { channels: number; stride: number },
): Value {
  const convNorm = (y: Value, part: string, kernel: number, strideOfPart: number) =>
    layers.batchNorm(
      layers.conv(y, `${name}/${part}`, {
        channels,
        kernel,
        stride: strideOfPart,
        hasBias: false,
      }),
      `${name}/${part}-norm`,
    );
  const y = convNorm(op.relu(convNorm(x, "conv0", 3, stride)), "conv1", 3, 1);
  const isSame = stride === 1 && Number(x.shape[1]) === channels;
  return op.relu(op.add(y, isSame ? x : convNorm(x, "shortcut", 1, stride)));
}
