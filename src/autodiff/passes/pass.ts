/**
 * What a pass is, and what passes share: a graph in, an equivalent graph out. Nothing is changed in
 * place. Passes look at nodes of the standard's own domain only and at graphs without subgraphs.
 */
import type { Graph, Node, Shape } from "../../onnx/index.ts";

export type Pass = (graph: Graph) => Graph;

/** Who makes a value; inputs and initializers have no entry. */
export function producersOf(graph: Graph): ReadonlyMap<string, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
}

/** Who reads a value. */
export function consumersOf(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const name of new Set(node.inputs)) {
      const known = consumers.get(name);
      if (known) known.push(node);
      else consumers.set(name, [node]);
    }
  return consumers;
}

export function outputNames(graph: Graph): ReadonlySet<string> {
  return new Set(graph.outputs.map(({ name }) => name));
}

export function isStandard(node: Node | undefined, operator: string): node is Node {
  return node?.domain === "" && node.operator === operator;
}

/** The shape of a value, where all of it is known. */
export function staticShapeOf(graph: Graph, name: string): readonly number[] | undefined {
  const shape = graph.initializers.get(name)?.dims ?? graph.values.get(name)?.shape;
  return shape && isStatic(shape) ? shape : undefined;
}

const isStatic = (shape: Shape): shape is readonly number[] =>
  shape.every((dim) => typeof dim === "number");

export const isSameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);

/** The name that a value goes by after every replacement, each of which may itself be replaced. */
export function resolved(name: string, replacements: ReadonlyMap<string, string>): string {
  let current = name;
  for (let next = replacements.get(current); next !== undefined; next = replacements.get(current))
    current = next;
  return current;
}

/** The nodes with every value they read or make going by its new name. */
export function renameIn(
  nodes: readonly Node[],
  replacements: ReadonlyMap<string, string>,
): readonly Node[] {
  const rename = (name: string) => resolved(name, replacements);
  return nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
}
