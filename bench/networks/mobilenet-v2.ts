/**
 * MobileNetV2 1.0 on one grey channel: inverted residuals with linear bottlenecks and ReLU6.
 * Source: Sandler et al. 2018, table 2 (2.2 M parameters with one logit).
 */
import { type LayerFactory, layersOf, type Network } from "../../src/models/index.ts";
import { operators as op, type Value } from "../../src/onnx/index.ts";

const STAGES = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const;

export function mobileNetV2(seed: number): Network {
  return (x, outputs) => {
    const layers = layersOf(seed);
    let y = convNorm(layers, x, "stem", { channels: 32, stride: 2 });
    STAGES.forEach(({ expansion, channels, blocks, stride }, stage) => {
      for (let block = 0; block < blocks; block++)
        y = invertedResidual(layers, y, `stage${stage}/block${block}`, {
          expansion,
          channels,
          stride: block === 0 ? stride : 1,
        });
    });
    y = convNorm(layers, y, "last", { channels: 1280, kernel: 1 });
    y = op.dropout(op.flatten(op.globalAveragePool(y)), 0.2);
    return layers.dense(y, "head", outputs, { scale: 1 });
  };
}

type Convolution = Parameters<LayerFactory["conv"]>[2];

function convNorm(layers: LayerFactory, x: Value, name: string, options: Convolution): Value {
  return op.clip(linear(layers, x, name, options), 0, 6);
}

function linear(layers: LayerFactory, x: Value, name: string, options: Convolution): Value {
  const y = layers.conv(x, `${name}/conv`, { ...options, hasBias: false });
  return layers.batchNorm(y, `${name}/norm`);
}

function invertedResidual(
  layers: LayerFactory,
  x: Value,
  name: string,
  { expansion, channels, stride }: { expansion: number; channels: number; stride: number },
): Value {
  const inner = Number(x.shape[1]) * expansion;
  let y = x;
  if (expansion > 1) y = convNorm(layers, y, `${name}/expand`, { channels: inner, kernel: 1 });
  y = convNorm(layers, y, `${name}/depthwise`, { channels: inner, stride, group: inner });
  y = linear(layers, y, `${name}/project`, { channels, kernel: 1 });
  return stride === 1 && Number(x.shape[1]) === channels ? op.add(y, x) : y;
}
