/** The network in a classifier's graph, and the pictures of films that it reads. */
import { removeDeadNodes } from "../autodiff/index.ts";
import type { Task } from "../datasets/index.portable.ts";
import { embedGraph } from "../models/index.ts";
import { type Graph, graphBuilder, type Model, type Value } from "../onnx/index.ts";
import { withoutGate } from "./gate/with-gate.ts";
import { landmarksOf } from "./landmarks.ts";
import { readMetadata } from "./metadata.ts";
import { withMirrors } from "./mirrors.ts";

export interface ClassifierParts {
  readonly task: Task;
  /** Side of the pictures. */
  readonly size: number;
  /**
   * The classifier, with its `images` uint8 `[N, H, W]` as the network sees them, resized and
   * normalised, as another output `picture` float32 `[N, 1, S, S]` (their mirrors after them where
   * these are averaged).
   */
  readonly whole: Graph;
  /** `picture` to `logits` `[N, logitCount(task)]`, averaged over mirrors that it makes itself. */
  readonly network: Graph;
}

export const PICTURE = "picture";
const LOGITS = "logits";

/** Throws `not-a-classifier` where the two cannot be told apart. */
export function partsOf(whole: Model): ClassifierParts {
  // What the gate puts right lies between resizing and normalising: the film is taken as it comes.
  const model = withoutGate(whole);
  const { task, input } = readMetadata(model.metadata, "the model");
  const { graph } = model;
  const { normalized: name, logits } = landmarksOf(model);
  const before = new Set(removeDeadNodes(withOutput(graph, name)).nodes);
  const picture = { name, type: "float32", shape: ["N", 1, input.size, input.size] } as const;
  const network = removeDeadNodes({
    ...withOutput(graph, logits),
    inputs: [picture],
    nodes: graph.nodes.filter((node) => !before.has(node)),
  });
  const cut = renamed(renamed(network, name, PICTURE), logits, LOGITS);
  const [output] = withOutput(graph, name).outputs;
  return {
    task,
    size: input.size,
    whole: renamed({ ...graph, outputs: [...graph.outputs, output!] }, name, PICTURE),
    network: input.averaging ? mirroring(cut, input.size) : cut,
  };
}

/** The network of pictures and their mirrors as one of pictures alone. */
function mirroring(network: Graph, size: number): Graph {
  const builder = graphBuilder();
  const picture = builder.input(PICTURE, "float32", ["N", 1, size, size]);
  builder.output(logitsOf(withMirrors(picture), network), LOGITS);
  return builder.build("network");
}

/** The logits of pictures `[B, 1, S, S]`, with the network's nodes appended to their builder. */
export function logitsOf(picture: Value, network: Graph): Value {
  return embedGraph(picture.builder, network, { [PICTURE]: picture }, { prefix: "network" })[
    LOGITS
  ]!;
}

const withOutput = (graph: Graph, name: string): Graph => ({
  ...graph,
  outputs: [{ name, type: "float32", shape: null }],
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
