/** Who makes and who reads the values of a graph, and which of them the image flows through. */
import type { Graph, Node } from "../../onnx/index.ts";

export interface Flow {
  /** Undefined for inputs and initializers. */
  maker(name: string): Node | undefined;
  readers(name: string): readonly Node[];
  /** Inputs of the node that depend on the image's pixels (not on its shape only). */
  inflows(node: Node): readonly string[];
  /** Whether a value depends on the image's pixels. */
  isInflow(name: string): boolean;
}

/** Operators whose result says something of shapes, not of pixels. */
const OF_SHAPES: ReadonlySet<string> = new Set(["Shape", "Size"]);

export function flowOf(graph: Graph): Flow {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const readers = new Map<string, Node[]>();
  const flowing = new Set(
    graph.inputs.map(({ name }) => name).filter((name) => !graph.initializers.has(name)),
  );
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs))
      readers.set(name, [...(readers.get(name) ?? []), node]);
    if (!OF_SHAPES.has(node.operator) && node.inputs.some((name) => flowing.has(name)))
      for (const name of node.outputs) flowing.add(name);
  }
  return {
    maker: (name) => makers.get(name),
    readers: (name) => readers.get(name) ?? [],
    inflows: (node) => [...new Set(node.inputs)].filter((name) => flowing.has(name)),
    isInflow: (name) => flowing.has(name),
  };
}
