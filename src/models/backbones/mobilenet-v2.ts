/**
 * MobileNetV2 1.0: inverted residuals with linear bottlenecks and ReLU6.
 * Source: Sandler et al. 2018, table 2. Names are torchvision's.
 */
import type { Value } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type ConvOptions, type LayerFactory, layersOf } from "../layers.ts";
import { pooledClassifier } from "./classifier.ts";
import { fineTuning } from "./fine-tuning.ts";
import { type ConvNorm, invertedResidual, relu6 } from "./inverted-residual.ts";
import { BY_IMAGENET } from "./preprocessing.ts";

const STAGES = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const;

export const MOBILENET_V2: BackboneEntry = {
  name: "mobilenet-v2",
  title: "MobileNetV2",
  summary: "Inverted residuals with ReLU6, 3.5 M parameters: the smallest file.",
  size: 224,
  preprocessing: BY_IMAGENET,
  recipe: fineTuning({ size: 224, batch: 32 }),
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features: (x) => features(layers, x),
      top: (y) => pooledClassifier(layers, y, "classifier.1"),
    };
  },
};

function features(layers: LayerFactory, x: Value): Value {
  const ends = (y: Value, index: number, options: ConvOptions) =>
    relu6(linear(layers, y, [`features.${index}.0`, `features.${index}.1`], options));
  let y = ends(x, 0, { channels: 32, stride: 2 });
  let index = 1;
  for (const { expansion, channels, blocks, stride: first } of STAGES)
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const parts = namedParts(layers, `features.${index++}.conv`, expansion > 1);
      y = invertedResidual(y, { expansion, channels, stride, kernel: 3 }, parts);
    }
  return ends(y, index, { channels: 1280, kernel: 1 });
}

/** The parts are numbered as they come; the projection's norm is no part of it. */
function namedParts(layers: LayerFactory, name: string, isExpanded: boolean): ConvNorm {
  const project = isExpanded ? 2 : 1;
  const names = {
    expand: [`${name}.0.0`, `${name}.0.1`],
    depthwise: [`${name}.${project - 1}.0`, `${name}.${project - 1}.1`],
    project: [`${name}.${project}`, `${name}.${project + 1}`],
  } as const;
  return (x, part, options) => linear(layers, x, names[part], options);
}

function linear(
  layers: LayerFactory,
  x: Value,
  [conv, norm]: readonly [conv: string, norm: string],
  options: ConvOptions,
): Value {
  return layers.batchNorm(layers.conv(x, conv, { ...options, hasBias: false }), norm);
}
