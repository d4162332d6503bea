/** The blocks of a network, found from its graph: what is unfrozen together, from the top. */
import { parameterNames } from "../../autodiff/index.ts";
import type { Graph, Node } from "../../onnx/index.ts";
import { type Flow, flowOf } from "./flow.ts";

/** Operators that bring branches together, where nothing else than their result goes on. */
const MERGES: ReadonlySet<string> = new Set(["Add", "Concat", "Sum"]);
const POOLS: ReadonlySet<string> = new Set(["AveragePool", "MaxPool"]);
const PRODUCTS: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);
const ATTENTION: ReadonlySet<string> = new Set(["Softmax"]);

interface Block {
  readonly parameters: string[];
  /** Norms, positions and tokens alone are no block. */
  hasKernel: boolean;
  hasConvolution: boolean;
  attends: boolean;
}

/**
 * Parameter names by block, from the image to the features. A block ends at a single tensor, through
 * which all later ones go, that joins branches (a residual sum, an Inception module's concatenation),
 * is pooled, or has learned positions or tokens added. What a transformer's layer does in two steps, attention
 * and then a perceptron, is one block; norms without a kernel belong to the block before.
 */
export function blocksOf(graph: Graph): readonly (readonly string[])[] {
  const flow = flowOf(graph);
  const longAxes = longAxesOf(graph);
  const owners = parameterOwners(graph, flow);
  const ends = endsOf(graph, flow, (node) => (owners.get(node) ?? []).map(longAxes));
  const blocks: Block[] = [];
  let current = emptyBlock();
  const close = () => {
    const previous = blocks.at(-1);
    const isTail = !current.hasKernel || isPerceptronOf(previous, current);
    if (previous && isTail) {
      previous.parameters.push(...current.parameters);
      current = emptyBlock();
    } else if (current.hasKernel) {
      blocks.push(current);
      current = emptyBlock();
    }
  };
  for (const node of graph.nodes) {
    const parameters = owners.get(node) ?? [];
    current.parameters.push(...parameters);
    current.hasKernel ||= parameters.length > 0 && PRODUCTS.has(node.operator);
    current.hasConvolution ||= node.operator === "Conv";
    current.attends ||= ATTENTION.has(node.operator);
    if (ends.has(node)) close();
  }
  close();
  return [...blocks.map(({ parameters }) => parameters), current.parameters].filter(
    ({ length }) => length > 0,
  );
}

const emptyBlock = (): Block => ({
  parameters: [],
  hasKernel: false,
  hasConvolution: false,
  attends: false,
});

const isPerceptronOf = (previous: Block | undefined, block: Block): boolean =>
  previous?.attends === true && !block.attends && !block.hasConvolution;

/** Of an initializer: how many of its axes are longer than 1. Positions have two. */
function longAxesOf({ initializers }: Graph): (name: string) => number {
  return (name) => initializers.get(name)?.dims.filter((size) => size > 1).length ?? 0;
}

/** Parameters by the first node that brings them to the image, moved or joined on their way or not. */
function parameterOwners(graph: Graph, flow: Flow): ReadonlyMap<Node, readonly string[]> {
  const unclaimed = new Set(parameterNames(graph));
  const carried = new Map<string, readonly string[]>([...unclaimed].map((name) => [name, [name]]));
  const owners = new Map<Node, readonly string[]>();
  for (const node of graph.nodes) {
    const parameters = node.inputs.flatMap((name) => carried.get(name) ?? []);
    if (flow.inflows(node).length === 0) {
      for (const name of node.outputs) carried.set(name, parameters);
      continue;
    }
    const own = [...new Set(parameters)].filter((name) => unclaimed.delete(name));
    owners.set(node, own);
  }
  return owners;
}

/** The nodes at whose result a block ends. */
function endsOf(
  graph: Graph,
  flow: Flow,
  axesOf: (node: Node) => readonly number[],
): ReadonlySet<Node> {
  const reads = new Map<string, number>();
  for (const node of graph.nodes)
    for (const name of flow.inflows(node)) reads.set(name, (reads.get(name) ?? 0) + 1);
  for (const { name } of graph.outputs) reads.set(name, (reads.get(name) ?? 0) + 1);
  const open = new Map<string, number>();
  const ends = new Set<Node>();
  for (const node of graph.nodes) {
    const inflows = flow.inflows(node);
    if (inflows.length === 0) continue;
    for (const name of inflows) {
      const left = (open.get(name) ?? reads.get(name) ?? 0) - 1;
      if (left > 0) open.set(name, left);
      else open.delete(name);
    }
    for (const name of node.outputs) {
      const count = flow.isInflow(name) ? (reads.get(name) ?? 0) : 0;
      if (count > 0) open.set(name, count);
    }
    const isAlone = open.size === 1 && open.has(node.outputs[0]!);
    if (isAlone && isEnd(node, inflows.length, axesOf(node))) ends.add(node);
  }
  return ends;
}

/** Whether a block may end at the node: it joins branches, pools, or brings in learned tokens. */
function isEnd({ operator }: Node, branches: number, axes: readonly number[]): boolean {
  const hasPositions = operator === "Add" && axes.some((count) => count >= 2);
  const hasToken = operator === "Concat" && axes.length > 0;
  const isMerge = MERGES.has(operator) && branches > 1;
  return isMerge || POOLS.has(operator) || hasPositions || hasToken;
}
