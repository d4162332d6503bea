/** The works' networks in TensorFlow.js, as in keras_networks.py (channels last, one logit). */
import * as layers from "@tensorflow/tfjs-layers";

const { layers: make } = layers;
type Symbolic = layers.SymbolicTensor;

const apply = (layer: { apply(x: Symbolic | Symbolic[]): unknown }, ...x: Symbolic[]) =>
  layer.apply(x.length === 1 ? x[0]! : x) as Symbolic;
const relu = (x: Symbolic, maxValue?: number) =>
  apply(make.reLU(maxValue === undefined ? {} : { maxValue }), x);
const channelsOf = (x: Symbolic) => x.shape.at(-1)!;

function cnn(input: Symbolic): Symbolic {
  let x = input;
  for (const filters of [32, 64, 128]) {
    x = apply(make.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu" }), x);
    x = apply(make.maxPooling2d({ poolSize: 2 }), x);
  }
  x = apply(make.dense({ units: 128, activation: "relu" }), apply(make.flatten(), x));
  return apply(make.dense({ units: 1 }), apply(make.dropout({ rate: 0.5 }), x));
}

function convNorm(x: Symbolic, filters: number, kernelSize = 3, strides = 1): Symbolic {
  const options = { filters, kernelSize, strides, padding: "same", useBias: false } as const;
  return apply(make.batchNormalization(), apply(make.conv2d(options), x));
}

function basicBlock(x: Symbolic, filters: number, strides: number): Symbolic {
  const y = convNorm(relu(convNorm(x, filters, 3, strides)), filters);
  const isSame = strides === 1 && channelsOf(x) === filters;
  return relu(apply(make.add(), y, isSame ? x : convNorm(x, filters, 1, strides)));
}

function resnet18(input: Symbolic): Symbolic {
  let x = relu(convNorm(input, 64, 7, 2));
  x = apply(make.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }), x);
  for (const filters of [64, 128, 256, 512])
    for (const block of [0, 1]) x = basicBlock(x, filters, filters > 64 && block === 0 ? 2 : 1);
  return apply(make.dense({ units: 1 }), apply(make.globalAveragePooling2d({}), x));
}

const MOBILENET_STAGES = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const;

function invertedResidual(
  x: Symbolic,
  { expansion, channels, strides }: { expansion: number; channels: number; strides: number },
): Symbolic {
  let y = x;
  if (expansion > 1) y = relu(convNorm(y, channelsOf(x) * expansion, 1), 6);
  const depthwise = { kernelSize: 3, strides, padding: "same", useBias: false } as const;
  y = apply(make.batchNormalization(), apply(make.depthwiseConv2d(depthwise), y));
  y = convNorm(relu(y, 6), channels, 1);
  return strides === 1 && channelsOf(x) === channels ? apply(make.add(), x, y) : y;
}

function mobilenetv2(input: Symbolic): Symbolic {
  let x = relu(convNorm(input, 32, 3, 2), 6);
  for (const { expansion, channels, blocks, stride } of MOBILENET_STAGES)
    for (let block = 0; block < blocks; block++)
      x = invertedResidual(x, { expansion, channels, strides: block === 0 ? stride : 1 });
  x = apply(make.globalAveragePooling2d({}), relu(convNorm(x, 1280, 1), 6));
  return apply(make.dense({ units: 1 }), apply(make.dropout({ rate: 0.2 }), x));
}

const NETWORKS: Readonly<Record<string, (input: Symbolic) => Symbolic>> = {
  cnn,
  resnet18,
  mobilenetv2,
};

export function network(work: string, size: number): layers.LayersModel {
  const inputs = layers.input({ shape: [size, size, 1] });
  return layers.model({ inputs, outputs: NETWORKS[work]!(inputs) });
}
