/**
 * Inception v3 as Keras Applications has it: every convolution is followed by a norm that has no
 * scale, then by a ReLU. A block runs branches side by side and joins their channels.
 * Source: Szegedy et al. 2016, table 1 and figures 5 to 7 and 10; keras.applications.inception_v3.
 */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type ConvOptions, layersOf } from "../layers.ts";
import { pooledClassifier } from "./classifier.ts";
import { fineTuning } from "./fine-tuning.ts";
import { BY_RANGE } from "./preprocessing.ts";

export const INCEPTION_V3: BackboneEntry = {
  name: "inception-v3",
  title: "InceptionV3",
  summary: "Parallel branches of factorised convolutions, 23.9 M parameters.",
  size: 299,
  preprocessing: BY_RANGE,
  recipe: fineTuning({ size: 299, learningRate: 2e-4 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => inceptionV3(convNorms(seed), x),
      top: (y) => pooledClassifier(layers, y, "predictions"),
    };
  },
};

/** One convolution of a branch: channels, kernel and what else differs. */
type Step = readonly [channels: number, kernel: Kernel, options?: Partial<ConvOptions>];
type Kernel = number | readonly [number, number];
type ConvNorm = (x: Value, step: Step) => Value;
type Block = (x: Value) => Value;

const VALID = { padding: "valid" } as const;
const HALVED = { padding: "valid", stride: 2 } as const;

/** Layers are numbered in the order they are made, as Keras does in a process that made no others. */
function convNorms(seed: number): ConvNorm {
  const layers = layersOf(seed);
  let made = 0;
  return (x, [channels, kernel, options]) => {
    const number = made++ === 0 ? "" : `_${made - 1}`;
    const y = layers.conv(x, `conv2d${number}`, { ...options, channels, kernel, hasBias: false });
    const norm = { hasScale: false, epsilon: 1e-3 };
    return op.relu(layers.batchNorm(y, `batch_normalization${number}`, norm));
  };
}

function inceptionV3(convNorm: ConvNorm, x: Value): Value {
  const chain =
    (...steps: readonly Step[]): Block =>
    (y) =>
      steps.reduce(convNorm, y);
  const averagedTo =
    (channels: number): Block =>
    (y) =>
      convNorm(averaged(y), [channels, 1]);
  const ending =
    (before: Block): Block =>
    (y) =>
      joined(chain([384, [1, 3]]), chain([384, [3, 1]]))(before(y));

  const blocks: readonly Block[] = [
    chain([32, 3, HALVED], [32, 3, VALID], [64, 3]),
    halved,
    chain([80, 1], [192, 3, VALID]),
    halved,
    // Figure 5, at 35x35.
    ...[32, 64, 64].map((channels) =>
      joined(
        chain([64, 1]),
        chain([48, 1], [64, 5]),
        chain([64, 1], [96, 3], [96, 3]),
        averagedTo(channels),
      ),
    ),
    joined(chain([384, 3, HALVED]), chain([64, 1], [96, 3], [96, 3, HALVED]), halved),
    // Figure 6, at 17x17.
    ...[128, 160, 160, 192].map((inner) =>
      joined(
        chain([192, 1]),
        chain([inner, 1], [inner, [1, 7]], [192, [7, 1]]),
        chain([inner, 1], [inner, [7, 1]], [inner, [1, 7]], [inner, [7, 1]], [192, [1, 7]]),
        averagedTo(192),
      ),
    ),
    joined(
      chain([192, 1], [320, 3, HALVED]),
      chain([192, 1], [192, [1, 7]], [192, [7, 1]], [192, 3, HALVED]),
      halved,
    ),
    // Figure 7, at 8x8, twice.
    ...[1, 2].map(() =>
      joined(
        chain([320, 1]),
        ending(chain([384, 1])),
        ending(chain([448, 1], [384, 3])),
        averagedTo(192),
      ),
    ),
  ];
  return blocks.reduce((y, block) => block(y), x);
}

/** The channels of all branches, in their order. */
const joined =
  (first: Block, ...rest: readonly Block[]): Block =>
  (x) =>
    op.concat([first(x), ...rest.map((branch) => branch(x))], 1);

const halved = (x: Value): Value => op.maxPool(x, { kernel: [3, 3], strides: [2, 2] });

/** A mean over the pixels that are there: the border counts only those inside, as TensorFlow does. */
const averaged = (x: Value): Value =>
  op.averagePool(x, { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] });
