/**
 * Vision transformers: patches of 16x16 as words, a class token, twelve blocks of attention and
 * dense layers. Source: Dosovitskiy et al. 2021, equations 1 to 4; Touvron et al. 2021, table 1
 * (Tiny, Small). Names are timm's.
 */
import { filled, operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type LayerFactory, layersOf } from "../layers.ts";
import { fineTuning } from "./fine-tuning.ts";
import { BY_RANGE } from "./preprocessing.ts";

const PATCH = 16;
const BLOCKS = 12;
const HEAD_WIDTH = 64;
const NORM = { epsilon: 1e-6 };

const VARIANTS = [
  { name: "tiny", title: "Tiny", heads: 3, millions: 5.7 },
  { name: "small", title: "Small", heads: 6, millions: 22.1 },
] as const;

export const VIT: readonly BackboneEntry[] = VARIANTS.map(({ name, title, heads, millions }) => ({
  name: `vit-${name}`,
  title: `ViT-${title}/16`,
  summary: `A vision transformer of ${heads} heads, ${millions} M parameters; no map, one vector.`,
  size: 224,
  preprocessing: BY_RANGE,
  recipe: fineTuning({ size: 224, learningRate: 1e-4 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x, heads),
      top: (y) => layers.dense(y, "head", 1000, { scale: 1 }),
    };
  },
}));

function features(layers: LayerFactory, x: Value, heads: number): Value {
  let y = embedded(layers, x, heads * HEAD_WIDTH);
  for (let index = 0; index < BLOCKS; index++) {
    const name = `blocks.${index}`;
    const normed = layers.layerNorm(y, `${name}.norm1`, NORM);
    y = op.add(y, attention(layers, normed, `${name}.attn`, heads));
    y = op.add(y, perceptron(layers, layers.layerNorm(y, `${name}.norm2`, NORM), `${name}.mlp`));
  }
  const token = op.squeeze(op.slice(y, [{ axis: 1, start: 0, end: 1 }]), [1]);
  return layers.layerNorm(token, "norm", NORM);
}

/** Equation 1. The class token comes in by a sum, so that the batch may be of any size. */
function embedded(layers: LayerFactory, x: Value, width: number): Value {
  const patches = { channels: width, kernel: PATCH, stride: PATCH, padding: "valid" } as const;
  const map = layers.conv(x, "patch_embed.proj", patches);
  const count = Number(map.shape[2]) * Number(map.shape[3]);
  const tokens = op.transpose(op.reshape(map, [0, width, count]), [0, 2, 1]);
  const { builder } = x;
  const classToken = builder.parameter("cls_token", filled([1, 1, width], 0));
  const places = builder.parameter("pos_embed", filled([1, 1 + count, width], 0));
  const first = op.pad(classToken, [0, 0, 0, 0, count, 0]);
  return op.add(op.pad(tokens, [0, 1, 0, 0, 0, 0]), op.add(places, first));
}

/** softmax(Q K^T / sqrt(d)) V by head. Source: Vaswani et al. 2017, equation 1. */
function attention(layers: LayerFactory, x: Value, name: string, heads: number): Value {
  const [, count, width] = x.shape.map(Number) as [number, number, number];
  const joint = layers.dense(x, `${name}.qkv`, 3 * width, { scale: 1 });
  const parts = op.split(joint, [width, width, width], 2);
  const [query, key, value] = parts.map((part) =>
    op.reshape(part, [0, count, heads, width / heads]),
  ) as [Value, Value, Value];
  const scaled = op.mul(query, x.builder.scalar(1 / Math.sqrt(width / heads)));
  const scores = op.matMul(op.transpose(scaled, [0, 2, 1, 3]), op.transpose(key, [0, 2, 3, 1]));
  const mixed = op.matMul(op.softmax(scores), op.transpose(value, [0, 2, 1, 3]));
  const rows = op.reshape(op.transpose(mixed, [0, 2, 1, 3]), [0, count, width]);
  return layers.dense(rows, `${name}.proj`, width, { scale: 1 });
}

function perceptron(layers: LayerFactory, x: Value, name: string): Value {
  const width = Number(x.shape.at(-1));
  const y = op.gelu(layers.dense(x, `${name}.fc1`, 4 * width));
  return layers.dense(y, `${name}.fc2`, width, { scale: 1 });
}
