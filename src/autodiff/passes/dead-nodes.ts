/** Removal of what nothing reads. */
import type { Graph, Node } from "../../onnx/index.ts";
import { outputNames, type Pass } from "./pass.ts";

/** Operators that do less when their further outputs are not asked for: MaxPool is twice as fast. */
const OPTIONAL_OUTPUTS: ReadonlySet<string> = new Set(["Dropout", "LayerNormalization", "MaxPool"]);

/**
 * Removes nodes, initializers and optional outputs that no output of the graph depends on. The
 * inputs stay: they are the graph's interface.
 */
export const removeDeadNodes: Pass = (graph) => {
  const needed = new Set(outputNames(graph));
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of node.inputs) needed.add(name);
    kept.push(withoutUnused(node, needed));
  }
  return {
    ...graph,
    nodes: kept.reverse(),
    initializers: only(graph.initializers, needed),
    values: only(graph.values, namesIn(graph, kept)),
  };
};

function withoutUnused(node: Node, needed: ReadonlySet<string>): Node {
  if (node.domain !== "" || !OPTIONAL_OUTPUTS.has(node.operator)) return node;
  const count = node.outputs.findLastIndex((name) => needed.has(name)) + 1;
  return count === node.outputs.length ? node : { ...node, outputs: node.outputs.slice(0, count) };
}

function namesIn(graph: Graph, nodes: readonly Node[]): ReadonlySet<string> {
  const interfaces = [...graph.inputs, ...graph.outputs].map(({ name }) => name);
  return new Set([
    ...interfaces,
    ...nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
  ]);
}

const only = <T>(entries: ReadonlyMap<string, T>, names: ReadonlySet<string>): Map<string, T> =>
  new Map([...entries].filter(([name]) => names.has(name)));
