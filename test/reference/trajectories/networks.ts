/** The networks of make.py, from the same formula. */
import { operators as op, type Value } from "../../../src/onnx/index.ts";
import { BATCH, values } from "./formula.ts";

interface ConvOptions {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
  readonly hasBias?: boolean;
}

function parameter(x: Value, name: string, dims: readonly number[], scale: number, offset = 0) {
  return x.builder.parameter(name, values(name, dims, scale, offset));
}

function conv(x: Value, name: string, options: ConvOptions): Value {
  const { channels, kernel, stride = 1, pad = 0, group = 1 } = options;
  const perGroup = Number(x.shape[1]) / group;
  const dims = [channels, perGroup, kernel, kernel];
  const weight = parameter(x, `${name}.weight`, dims, Math.sqrt(6 / (perGroup * kernel ** 2)));
  const bias = options.hasBias ? parameter(x, `${name}.bias`, [channels], 0.1) : undefined;
  return op.conv(x, weight, bias, {
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    group,
  });
}

/** On matrices; on `[batch, tokens, width]` as a batched product with the transposed weight. */
function dense(x: Value, name: string, outputs: number): Value {
  const inputs = Number(x.shape.at(-1));
  const weight = parameter(x, `${name}.weight`, [outputs, inputs], Math.sqrt(3 / inputs));
  const bias = parameter(x, `${name}.bias`, [outputs], 0.1);
  if (x.shape.length === 2) return op.gemm(x, weight, bias, { transB: true });
  return op.add(op.matMul(x, op.transpose(weight, [1, 0])), bias);
}

function batchNorm(x: Value, name: string): Value {
  const channels = [Number(x.shape[1])];
  return op.batchNormalization(x, {
    scale: parameter(x, `${name}.scale`, channels, 0.2, 1),
    bias: parameter(x, `${name}.bias`, channels, 0.1),
    mean: parameter(x, `${name}.mean`, channels, 0),
    variance: parameter(x, `${name}.variance`, channels, 0, 1),
  });
}

function layerNorm(x: Value, name: string): Value {
  const width = [Number(x.shape.at(-1))];
  const scale = parameter(x, `${name}.scale`, width, 0.2, 1);
  return op.layerNormalization(x, { scale, bias: parameter(x, `${name}.bias`, width, 0.1) });
}

const pooled = (x: Value): Value => op.flatten(op.globalAveragePool(x));

export function cnn(x: Value): Value {
  let y = op.relu(conv(x, "conv0", { channels: 8, kernel: 3, pad: 1, hasBias: true }));
  y = op.maxPool(y, { kernel: [2, 2], strides: [2, 2] });
  y = op.relu(conv(y, "conv1", { channels: 12, kernel: 3, pad: 1, hasBias: true }));
  y = op.maxPool(y, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  y = op.relu(conv(y, "conv2", { channels: 16, kernel: 3, stride: 2, hasBias: true }));
  return dense(op.flatten(y), "head", 1);
}

export function residual(x: Value): Value {
  const stem = conv(x, "stem", { channels: 8, kernel: 3, pad: 1 });
  let y = op.relu(batchNorm(stem, "stem-norm"));
  for (const [name, channels, stride] of [
    ["block0", 8, 1],
    ["block1", 16, 2],
  ] as const) {
    let z = conv(y, `${name}/conv0`, { channels, kernel: 3, stride, pad: 1 });
    z = op.relu(batchNorm(z, `${name}/norm0`));
    z = conv(z, `${name}/conv1`, { channels, kernel: 3, pad: 1 });
    z = batchNorm(z, `${name}/norm1`);
    if (stride > 1) {
      const halved = op.averagePool(y, { kernel: [2, 2], strides: [2, 2] });
      y = batchNorm(conv(halved, `${name}/shortcut`, { channels, kernel: 1 }), `${name}/norm2`);
    }
    y = op.relu(op.add(z, y));
  }
  return dense(pooled(y), "head", 3);
}

export function depthwise(x: Value): Value {
  let y = conv(x, "stem", { channels: 8, kernel: 3, stride: 2, pad: 1 });
  y = op.hardSwish(batchNorm(y, "stem-norm"));
  y = conv(y, "depthwise0", { channels: 8, kernel: 3, pad: 1, group: 8 });
  y = op.hardSwish(batchNorm(y, "norm0"));
  y = batchNorm(conv(y, "pointwise0", { channels: 16, kernel: 1 }), "norm1");
  y = conv(y, "depthwise1", { channels: 16, kernel: 5, stride: 2, pad: 2, group: 16 });
  y = op.relu(batchNorm(y, "norm2"));
  const squeezed = conv(op.globalAveragePool(y), "squeeze", {
    channels: 4,
    kernel: 1,
    hasBias: true,
  });
  const excited = conv(op.relu(squeezed), "excite", { channels: 16, kernel: 1, hasBias: true });
  y = op.mul(y, op.hardSigmoid(excited, { alpha: 1 / 6, beta: 0.5 }));
  y = op.hardSwish(batchNorm(conv(y, "pointwise1", { channels: 24, kernel: 1 }), "norm3"));
  return dense(pooled(y), "head", 2);
}

const WIDTH = 24;
const HEADS = 3;

export function transformer(x: Value): Value {
  const { builder } = x;
  const patches = conv(x, "patches", { channels: WIDTH, kernel: 4, stride: 4, hasBias: true });
  const first = op.expand(parameter(x, "class-token", [1, 1, WIDTH], 0.5), [BATCH, 1, WIDTH]);
  const rest = op.transpose(op.reshape(patches, [BATCH, WIDTH, -1]), [0, 2, 1]);
  let y = op.concat([first, rest], 1);
  const tokens = Number(y.shape[1]);
  y = op.add(y, parameter(x, "positions", [1, tokens, WIDTH], 0.5));
  for (const name of ["block0", "block1"]) {
    const z = layerNorm(y, `${name}/norm0`);
    const part = (which: string) =>
      op.reshape(dense(z, `${name}/${which}`, WIDTH), [BATCH, tokens, HEADS, WIDTH / HEADS]);
    const scores = op.einsum("bqhd,bkhd->bhqk", part("q"), part("k"));
    const attention = op.softmax(op.mul(scores, builder.scalar(1 / Math.sqrt(WIDTH / HEADS))));
    const joined = op.einsum("bhqk,bkhd->bqhd", attention, part("v"));
    y = op.add(y, dense(op.reshape(joined, [BATCH, tokens, WIDTH]), `${name}/join`, WIDTH));
    const up = op.gelu(dense(layerNorm(y, `${name}/norm1`), `${name}/up`, 2 * WIDTH));
    y = op.add(y, dense(up, `${name}/down`, WIDTH));
  }
  const token = op.squeeze(op.slice(y, [{ axis: 1, start: 0, end: 1 }]), [1]);
  return dense(layerNorm(token, "norm"), "head", 3);
}
