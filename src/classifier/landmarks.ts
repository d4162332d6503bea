/**
 * Where things are in a classifier's graph, found by the forms that assemble.ts, models and task.ts
 * give them, so that passes work on any file of Hilum's, however old.
 */
import type { Task } from "../datasets/index.portable.ts";
import { HilumError } from "../errors.ts";
import { type Graph, graphBuilder, type Model, type Node, type Value } from "../onnx/index.ts";
import { type ClassifierInput, readMetadata } from "./metadata.ts";
import { AVERAGING } from "./mirrors.ts";

export interface Landmarks {
  /** Films resized to the network's size, grey levels 0 to 255 yet to be normalised, `[N, 1, S, S]`. */
  readonly resized: string;
  /** The same normalised, as the network reads them (with their mirrors where these are averaged). */
  readonly normalized: string;
  /** What the head sees, `[N, F]` (of the film and its mirror where these are averaged). */
  readonly features: string;
  /** What becomes probabilities, `[N, L]`. */
  readonly logits: string;
}

/** Names of values. Throws `not-a-classifier`, also for a network that ends with no dense head. */
export function landmarksOf({ graph, metadata }: Model): Landmarks {
  const { task, input, calibration } = readMetadata(metadata, "the model");
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const maker = (name: string | undefined, ...operators: readonly string[]): Node | undefined => {
    const node = makers.get(name ?? "");
    return node && operators.includes(node.operator) ? node : undefined;
  };
  const resized = resizedIn(graph, maker);
  const normalized = resized && normalizedIn(graph, { resized, maker, input });
  const logits = logitsBefore(calibration ? "uncalibrated_probabilities" : "probabilities", {
    task,
    maker,
  });
  const features = logits && featuresBefore(logits, makers, maker);
  if (!resized) lacks("films that are resized");
  if (!normalized) lacks("films that are normalised");
  if (!logits) lacks("logits from which probabilities are made");
  if (!features) lacks("a dense head: its network ends in another way");
  return { resized, normalized, features, logits };
}

function lacks(what: string): never {
  throw new HilumError(
    "not-a-classifier",
    `The model has no ${what}. Only classifiers that Hilum trained can be changed in this way.`,
    { lacks: what },
  );
}

type Maker = (name: string | undefined, ...operators: readonly string[]) => Node | undefined;

/** What images/resize.ts makes: a Clip of a Round of a Resize. */
function resizedIn({ nodes }: Graph, maker: Maker): string | undefined {
  const clip = nodes.find(
    ({ operator, inputs }) =>
      operator === "Clip" && maker(maker(inputs[0], "Round")?.inputs[0], "Resize"),
  );
  return clip?.outputs[0];
}

/** The last step of what images/normalization.ts makes: a Sub of one, or a Div by a deviation. */
function normalizedIn(
  { nodes }: Graph,
  {
    resized,
    maker,
    input: { normalization },
  }: { readonly resized: string; readonly maker: Maker; readonly input: ClassifierInput },
): string | undefined {
  const after = nodes.slice(nodes.findIndex(({ outputs }) => outputs.includes(resized)) + 1);
  const last = after.find(({ operator, inputs }) =>
    normalization === "range"
      ? operator === "Sub"
      : operator === "Div" && maker(inputs[1], "Sqrt") !== undefined,
  );
  return last?.outputs[0];
}

/** What task.ts makes probabilities of. */
function logitsBefore(
  output: string,
  { task, maker }: { readonly task: Task; readonly maker: Maker },
): string | undefined {
  const plain = maker(output, "Identity")?.inputs[0] ?? output;
  if (task.kind === "findings") return maker(plain, "Sigmoid")?.inputs[0];
  if (task.positive === null) return maker(plain, "Softmax")?.inputs[0];
  return maker(maker(plain, "Concat")?.inputs[task.positive], "Sigmoid")?.inputs[0];
}

/** The input of the dense layer, before dropout, which does nothing here. */
function featuresBefore(
  logits: string,
  makers: ReadonlyMap<string, Node>,
  maker: Maker,
): string | undefined {
  let own = logits;
  for (let node = makers.get(own); node?.name.startsWith(`${AVERAGING}/`); node = makers.get(own))
    own = node.inputs[0]!;
  const head = maker(own, "Gemm") ?? maker(maker(own, "Add")?.inputs[0], "MatMul");
  const input = head?.inputs[0];
  return maker(input, "Dropout")?.inputs[0] ?? input;
}

/**
 * The graph with what `make` gives in place of the value called `at`, for all that read it. Its
 * outputs stay, but for those that `make` adds.
 */
export function spliced(
  graph: Graph,
  changes: Readonly<Record<string, (value: Value) => Value>>,
): Graph {
  const names = new Map<string, string>();
  const renamed = (name: string) => names.get(name) ?? name;
  const reserved = new Set(graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]));
  const builder = graphBuilder({ ...graph, nodes: [] }, reserved);
  for (const node of graph.nodes) {
    builder.adopt({ ...node, inputs: node.inputs.map(renamed) });
    for (const name of node.outputs) {
      const change = changes[name];
      if (change) names.set(name, change(builder.find(name)!).name);
    }
  }
  const made = builder.build(graph.name);
  return { ...made, outputs: [...graph.outputs, ...made.outputs], values: graph.values };
}
