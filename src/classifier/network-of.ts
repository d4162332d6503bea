/** The network in a classifier's graph, and the pictures of films that it reads. */
import { removeDeadNodes } from "../autodiff/index.ts";
import type { Task } from "../datasets/index.portable.ts";
import { embedGraph } from "../models/index.ts";
import { type Graph, graphBuilder, type Model, type Node, type Value } from "../onnx/index.ts";
import { withoutGate } from "./gate/with-gate.ts";
import { type Landmarks, landmarksOf } from "./landmarks.ts";
import { readMetadata } from "./metadata.ts";
import { withMirrors } from "./mirrors.ts";

export interface ClassifierParts {
  readonly task: Task;
  /** Side of the pictures. */
  readonly size: number;
  /**
   * `images` uint8 `[N, H, W]` to the classifier's `probabilities`, and to `picture` float32
   * `[N, 1, S, S]`: the films as the network sees them, resized, with greys that the gate puts
   * right, and normalised (their mirrors after them where these are averaged).
   */
  readonly whole: Graph;
  /**
   * `picture` to `logits` `[N, logitCount(task)]`, averaged over mirrors that it makes itself, and
   * `probabilities` `[N, C]`.
   */
  readonly network: Graph;
}

export const PICTURE = "picture";
export const PROBABILITIES = "probabilities";
const LOGITS = "logits";

/** Throws `not-a-classifier` where the two cannot be told apart. */
export function partsOf(model: Model): ClassifierParts {
  const { task, input } = readMetadata(model.metadata, "the model");
  const { graph } = model;
  const { normalized: name, logits } = cutsOf(model);
  const network = networkBetween(graph, name, [logits, PROBABILITIES], input.size);
  const cut = renamed(renamed(network, name, PICTURE), logits, LOGITS);
  return {
    task,
    size: input.size,
    whole: renamed(removeDeadNodes(withOutputs(graph, PROBABILITIES, name)), name, PICTURE),
    network: input.averaging ? mirroring(cut, input.size) : cut,
  };
}

/** What lies between pictures `[N, 1, S, S]`, which the value `from` is, and the values `to`. */
export const networkBetween = (
  graph: Graph,
  from: string,
  to: readonly string[],
  size: number,
): Graph =>
  removeDeadNodes({
    ...withOutputs(graph, ...to),
    inputs: [{ name: from, type: "float32", shape: ["N", 1, size, size] }],
    nodes: nodesAfter(graph, from),
  });

/** The nodes between what the network reads and its logits, in order. Throws `not-a-classifier`. */
export function networkNodes(model: Model): readonly Node[] {
  const { normalized, logits } = cutsOf(model);
  const graph = withOutputs(model.graph, logits);
  return removeDeadNodes({ ...graph, nodes: nodesAfter(graph, normalized) }).nodes;
}

/** The gate normalises films of its own; what it is put in front of keeps its names. */
const cutsOf = (model: Model): Landmarks => landmarksOf(withoutGate(model));

function nodesAfter(graph: Graph, name: string): readonly Node[] {
  const before = new Set(removeDeadNodes(withOutputs(graph, name)).nodes);
  return graph.nodes.filter((node) => !before.has(node));
}

/** The network of pictures and their mirrors as one of pictures alone. */
function mirroring(network: Graph, size: number): Graph {
  const builder = graphBuilder();
  const picture = builder.input(PICTURE, "float32", ["N", 1, size, size]);
  const said = embedded(withMirrors(picture), network);
  for (const name of [LOGITS, PROBABILITIES]) builder.output(said[name]!, name);
  return builder.build("network");
}

/** The logits of pictures `[B, 1, S, S]`, with the network's nodes appended to their builder. */
export const logitsOf = (picture: Value, network: Graph): Value =>
  embedded(picture, { ...network, outputs: network.outputs.filter(({ name }) => name === LOGITS) })[
    LOGITS
  ]!;

const embedded = (picture: Value, network: Graph): Readonly<Record<string, Value>> =>
  embedGraph(picture.builder, network, { [PICTURE]: picture }, { prefix: "network" });

const withOutputs = (graph: Graph, ...names: readonly string[]): Graph => ({
  ...graph,
  outputs: names.map((name) => ({ name, type: "float32", shape: null })),
});

function renamed(graph: Graph, from: string, to: string): Graph {
  const called = (name: string) => (name === from ? to : name);
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: called(input.name) })),
    outputs: graph.outputs.map((output) => ({ ...output, name: called(output.name) })),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(called),
      outputs: node.outputs.map(called),
    })),
  };
}
