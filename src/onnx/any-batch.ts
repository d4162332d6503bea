/**
 * Nodes that are made for a batch whose size is a known number, in a graph that takes any batch:
 * while they are made the batch is a prime that no other dimension can be mistaken for, and where
 * it stands in a constant of shapes it then follows the images'. Gradients need it, whose rules
 * know static shapes only.
 */
import { assert } from "../errors.ts";
import { type GraphBuilder, graphBuilder, type NodeOptions, type Value } from "./build.ts";
import { type Graph, int, type Node, type Shape } from "./graph.ts";
import * as op from "./operators/index.ts";
import { toNumbers } from "./tensor.ts";

/** Larger than any axis, and small enough that whole tensors are counted without rounding. */
const MARK = 1_000_003;
const isMarked = (size: unknown): size is number =>
  typeof size === "number" && size !== 0 && Number.isInteger(size) && size % MARK === 0;

/** How many batches a dimension holds, or undefined where it does not grow with the batch. */
export const batchesOf = (size: unknown): number | undefined =>
  isMarked(size) ? size / MARK : undefined;

/**
 * The graph with what `body` makes as further outputs, by name. The first axis of the first input is
 * the batch. Throws `graph-invalid` where the shape of a node cannot be known.
 */
export function extendedForAnyBatch(
  graph: Graph,
  body: (builder: GraphBuilder) => Readonly<Record<string, Value>>,
): Graph {
  const [first, ...others] = graph.inputs;
  const [symbol, ...rest] = first!.shape!;
  const marked = graphBuilder({
    ...graph,
    inputs: [{ ...first!, shape: [MARK, ...rest] }, ...others],
  });
  const results = body(marked);
  const nodes = marked.nodes();
  const made = nodes.slice(graph.nodes.length);
  const taken = made.flatMap(({ name, outputs }) => [name, ...outputs]);
  const freed = graphBuilder({ ...graph, nodes: [] }, new Set(taken));
  for (const [name, contents] of marked.build().initializers)
    if (!freed.find(name)) freed.parameter(name, contents);
  // Of the nodes that were there some may have got further outputs.
  for (const node of nodes.slice(0, graph.nodes.length)) freed.adopt(node);
  const images = freed.find(first!.name)!;
  for (const node of made) placed(node, { marked, freed, images, symbol: symbol ?? null });
  for (const [name, value] of Object.entries(results)) freed.output(freed.find(value.name)!, name);
  const built = freed.build(graph.name);
  return { ...built, outputs: [...graph.outputs, ...built.outputs] };
}

interface Place {
  readonly marked: GraphBuilder;
  readonly freed: GraphBuilder;
  readonly images: Value;
  readonly symbol: Shape[number];
}

function placed(node: Node, { marked, freed, images, symbol }: Place): void {
  const { operator, domain, attributes, name, outputs } = node;
  const inputs = node.inputs.map((input, index) => {
    const value = marked.find(input);
    const dims = value?.constant?.type === "int64" ? toNumbers(value.constant) : [];
    if (!dims.some(isMarked)) return freed.find(input);
    const data = marked.find(node.inputs[0]!)!;
    const plain = index === 1 ? withoutBatch(operator, dims, data.shape) : undefined;
    return plain ? freed.integers(plain) : vectorOf(dims, images);
  });
  const results = outputs
    .filter((output) => output !== "")
    .map((output) => {
      const { type, shape } = marked.find(output)!;
      const freedShape = shape.map((size) =>
        isMarked(size) ? (size === MARK ? symbol : null) : size,
      );
      return { type, shape: freedShape };
    });
  const options: NodeOptions = { domain, name, outputs, results };
  freed.node(operator, inputs, attributes, options);
}

/** The same said without the batch: kept or left open by Reshape, not widened by Expand. */
function withoutBatch(
  operator: string,
  dims: readonly number[],
  from: Shape,
): number[] | undefined {
  if (operator === "Reshape") {
    const shape = dims.map((size, axis) =>
      isMarked(size) ? (size === from[axis] ? 0 : -1) : size,
    );
    return shape.filter((size) => size === -1).length > 1 ? undefined : shape;
  }
  if (operator !== "Expand") return undefined;
  const lead = dims.length - from.length;
  const shape = dims.map((size, axis) => (isMarked(size) && size === from[axis - lead] ? 1 : size));
  return shape.some(isMarked) ? undefined : shape;
}

/** The numbers, those with the batch in them computed when the graph runs. */
function vectorOf(dims: readonly number[], images: Value): Value {
  const { builder } = images;
  const [batch] = builder.node("Shape", [images], { start: int(0), end: int(1) });
  const parts = dims.map((size) => {
    const batches = batchesOf(size);
    if (batches === undefined) return builder.integers([size]);
    return batches === 1 ? batch! : op.mul(batch!, builder.integers([batches]));
  });
  const [head, ...tail] = parts;
  assert(head, "a marked vector has elements");
  return tail.length === 0 ? head : op.concat([head, ...tail], 0);
}
