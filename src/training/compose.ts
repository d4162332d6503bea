/** Whole forward graphs from their parts: images, augmentation, normalisation, network, loss. */
import type { Loss } from "../autodiff/index.ts";
import { probabilitiesOf } from "../classifier/index.ts";
import {
  AUGMENTATION_COLUMNS,
  type Augmentation,
  augmented,
  mixed,
  type Task,
} from "../datasets/index.portable.ts";
import { type Normalization, normalizeImages } from "../images/index.portable.ts";
import type { Network } from "../models/index.ts";
import { type Graph, graphBuilder, operators as op } from "../onnx/index.ts";

export interface ForwardParts {
  readonly network: Network;
  /** Logits per image. */
  readonly logits: number;
  readonly size: number;
  readonly normalization: Normalization;
}

export interface TrainingParts extends ForwardParts {
  readonly batch: number;
  readonly augmentation: Augmentation;
  readonly loss: Loss;
}

/**
 * Inputs `images` uint8 `[B, S, S]`, `targets` and `weights` `[B, L]`, `augmentation` `[B, P]` (only
 * where something is augmented); outputs `loss` and `logits`.
 */
export function trainingForward(parts: TrainingParts): Graph {
  const { size, batch, logits: count, augmentation: ranges } = parts;
  const builder = graphBuilder();
  const pixels = builder.input("images", "uint8", [batch, size, size]);
  let targets = builder.input("targets", "float32", [batch, count]);
  const weights = builder.input("weights", "float32", [batch, count]);
  let images = op.cast(op.unsqueeze(pixels, [1]), "float32");
  if (isAugmented(ranges)) {
    const rows = builder.input("augmentation", "float32", [batch, AUGMENTATION_COLUMNS]);
    images = augmented({ images, rows, ranges });
    if (ranges.mixup > 0) {
      images = mixed(images, rows);
      targets = mixed(targets, rows);
    }
  }
  const logits = parts.network(normalizeImages(images, parts.normalization), count);
  builder.output(parts.loss({ logits, targets, weights }), "loss");
  builder.output(logits, "logits");
  return builder.build("forward");
}

export function isAugmented(ranges: Augmentation): boolean {
  return Object.values(ranges).some((amount) => amount > 0);
}

/**
 * For validation: `images` uint8 `[N, S, S]` of the network's size to `probabilities` `[N, C]`, with
 * the named weights as inputs, so that the state of training is fed without a copy.
 */
export function inferenceForward(
  parts: ForwardParts & { readonly task: Task; readonly inputs: ReadonlySet<string> },
): Graph {
  const { network, logits, size, normalization, task, inputs } = parts;
  const builder = graphBuilder();
  const pixels = builder.input("images", "uint8", ["N", size, size]);
  const images = op.cast(op.unsqueeze(pixels, [1]), "float32");
  const scores = network(normalizeImages(images, normalization), logits);
  builder.output(probabilitiesOf(scores, task), "probabilities");
  return weightsAsInputs(builder.build("validation"), inputs);
}

/** The graph with these initializers as inputs, whose values are then fed. */
export function weightsAsInputs(graph: Graph, names: ReadonlySet<string>): Graph {
  const moved = [...graph.initializers].filter(([name]) => names.has(name));
  return {
    ...graph,
    inputs: [
      ...graph.inputs,
      ...moved.map(([name, { type, dims }]) => ({ name, type, shape: dims })),
    ],
    initializers: new Map([...graph.initializers].filter(([name]) => !names.has(name))),
  };
}
