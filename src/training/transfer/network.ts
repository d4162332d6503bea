/** A backbone with a new head as a network, and what of it trains how fast. */
import { HilumError } from "../../errors.ts";
import type { Normalization } from "../../images/index.ts";
import {
  blocksOf,
  embedGraph,
  greyStem,
  layersOf,
  type Network,
  type Preprocessing,
} from "../../models/index.ts";
import { type Graph, operators as op, type Value } from "../../onnx/index.ts";
import type { Settings } from "../options.ts";
import { PIXELS_OF } from "./preprocessing.ts";

/** A graph from images `[N, 3, S, S]`, normalised as its publisher does, to its output `features`. */
export interface PretrainedBackbone {
  readonly graph: Graph;
  readonly preprocessing: Preprocessing;
}

export interface TransferNetwork {
  readonly network: Network;
  /** From normalised grey images `[N, 1, S, S]` to pooled features `[N, C]`. */
  features(x: Value): Value;
  /** Of the backbone, from the image to the features; a list of parameters each. */
  readonly blocks: readonly (readonly string[])[];
}

/** Parameters of the head. */
export const HEAD = ["head.weight", "head.bias"] as const;

/** The head, from features `[N, C]` to logits. */
export function headOf(features: Value, outputs: number, seed: number): Value {
  return layersOf(seed).dense(features, "head", outputs, { scale: 1 });
}

export function transferNetwork(
  { graph, preprocessing }: PretrainedBackbone,
  { normalization, seed, headDropout }: Pick<Settings, "normalization" | "seed" | "headDropout">,
): TransferNetwork {
  const grey = greyStem(graph, preprocessing, PIXELS_OF[normalization as Normalization]);
  const [input] = grey.inputs;
  const features = (x: Value) =>
    pooled(embedGraph(x.builder, grey, { [input!.name]: x }).features!);
  return {
    features,
    network: (x, outputs) => headOf(dropped(features(x), headDropout), outputs, seed),
    blocks: blocksOf(grey),
  };
}

const dropped = (features: Value, share: number): Value =>
  share === 0 ? features : op.dropout(features, share);

function pooled(features: Value): Value {
  return features.shape.length === 4 ? op.flatten(op.globalAveragePool(features)) : features;
}

export interface FineTuning {
  isTrainable(parameter: string): boolean;
  /** Factor on the learning rate. */
  rateOf(parameter: string): number;
}

/**
 * The head trains at the full rate, block k from the top at decay^k of it, what lies below not at
 * all. Source: Howard and Ruder 2018, ULMFiT, section 3.2 (discriminative fine-tuning).
 */
export function fineTuning(
  blocks: TransferNetwork["blocks"],
  { unfreeze, layerDecay, epochs }: Pick<Settings, "unfreeze" | "layerDecay" | "epochs">,
): FineTuning {
  const count = epochs === 0 ? 0 : unfreeze === "all" ? blocks.length : unfreeze;
  if (count > blocks.length)
    throw new HilumError(
      "invalid-option",
      `Option unfreeze is ${unfreeze}, but the backbone has ${blocks.length} blocks. Say at most so many, or all.`,
      { option: "unfreeze", value: unfreeze, blocks: blocks.length },
    );
  const depths = new Map<string, number>(HEAD.map((name) => [name, 0]));
  blocks.slice(blocks.length - count).forEach((parameters, place) => {
    for (const name of parameters) depths.set(name, count - place);
  });
  return {
    isTrainable: (name) => depths.has(name),
    rateOf: (name) => layerDecay ** (depths.get(name) ?? 0),
  };
}
