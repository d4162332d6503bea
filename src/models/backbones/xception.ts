/**
 * Xception as Keras Applications has it: separable convolutions with norms in residual blocks; an
 * entry flow that halves three times, eight equal middle blocks, an exit flow.
 * Source: Chollet 2017, figure 5; keras.applications.xception.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type LayerFactory, layersOf, windowPads } from "../layers.ts";
import { pooledClassifier } from "./classifier.ts";
import { fineTuning } from "./fine-tuning.ts";
import { BY_RANGE } from "./preprocessing.ts";

export const XCEPTION: BackboneEntry = {
  name: "xception",
  title: "Xception",
  summary: "Residual blocks of separable convolutions, 22.9 M parameters.",
  size: 299,
  preprocessing: BY_RANGE,
  recipe: fineTuning({ size: 299, learningRate: 2e-4 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x),
      top: (y) => pooledClassifier(layers, y, "predictions"),
    };
  },
};

/** Blocks that halve the map: their number in the paper's figure, and channels of both convolutions. */
const ENTRY = [
  [2, [128, 128]],
  [3, [256, 256]],
  [4, [728, 728]],
] as const;
const MIDDLE = [5, 6, 7, 8, 9, 10, 11, 12] as const;

function features(layers: LayerFactory, x: Value): Value {
  const stem = (y: Value, name: string, channels: number, stride: number) => {
    const options = { channels, stride, padding: "valid", hasBias: false } as const;
    return op.relu(norm(layers, layers.conv(y, name, options), `${name}_bn`));
  };
  let y = stem(x, "block1_conv1", 32, 2);
  y = stem(y, "block1_conv2", 64, 1);
  ENTRY.forEach(([block, channels], index) => {
    y = halvingBlock(layers, y, { block, channels, shortcut: index });
  });
  for (const block of MIDDLE) {
    const inner = [1, 2, 3].reduce(
      (z, index) => separable(layers, op.relu(z), `block${block}_sepconv${index}`, 728),
      y,
    );
    y = op.add(inner, y);
  }
  y = halvingBlock(layers, y, { block: 13, channels: [728, 1024], shortcut: ENTRY.length });
  y = op.relu(separable(layers, y, "block14_sepconv1", 1536));
  return op.relu(separable(layers, y, "block14_sepconv2", 2048));
}

interface HalvingBlock {
  readonly block: number;
  readonly channels: readonly [number, number];
  /** How many shortcuts come before: Keras names them by number alone. */
  readonly shortcut: number;
}

function halvingBlock(
  layers: LayerFactory,
  x: Value,
  { block, channels: [first, second], shortcut }: HalvingBlock,
): Value {
  const number = shortcut === 0 ? "" : `_${shortcut}`;
  const projection = layers.conv(x, `conv2d${number}`, {
    channels: second,
    kernel: 1,
    stride: 2,
    padding: "same-upper",
    hasBias: false,
  });
  const residual = norm(layers, projection, `batch_normalization${number}`);
  // The stem ends in a ReLU already.
  let y = block === 2 ? x : op.relu(x);
  y = separable(layers, y, `block${block}_sepconv1`, first);
  y = separable(layers, op.relu(y), `block${block}_sepconv2`, second);
  const window = { kernel: 3, stride: 2, padding: "same-upper" } as const;
  const pooled = op.maxPool(y, { kernel: [3, 3], strides: [2, 2], pads: windowPads(y, window) });
  return op.add(pooled, residual);
}

function separable(layers: LayerFactory, x: Value, name: string, channels: number): Value {
  return norm(layers, layers.separableConv(x, name, { channels }), `${name}_bn`);
}

function norm(layers: LayerFactory, x: Value, name: string): Value {
  return layers.batchNorm(x, name, { epsilon: 1e-3 });
}
