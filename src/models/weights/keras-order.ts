/**
 * Which layer of a Keras file is which of a graph. Keras numbers layers that have no name by the
 * process that made them, so that `conv2d_4` of one file is `conv2d` of another: it matches them by
 * their order in `model.layers`, which is by depth, and so do we, kind by kind.
 */
import { type Graph, isConstantName, type Node } from "../../onnx/index.ts";
import { flowOf } from "../surgery/flow.ts";
import type { NamedTensors } from "./named-tensors.ts";

/** A layer with parameters: ranks by the parameter's name. */
type Parts = ReadonlyMap<string, number>;

/** The file's tensors under the names that the graph's layers have in Keras. */
export function inOrderOf(graph: Graph, file: NamedTensors): NamedTensors {
  const ours = byKind(layersOfGraph(graph));
  const names = new Map<string, string>();
  for (const [kind, layers] of byKind(layersOfFile(file)))
    layers.forEach((layer, index) => {
      names.set(layer, ours.get(kind)?.[index] ?? `${layer} (number ${index + 1} of its kind)`);
    });
  const renamed = Array.from(file.tensors, ([key, tensor]) => {
    const [layer, part] = split(key, "/");
    return { key, newKey: `${names.get(layer)}/${part}`, tensor };
  });
  return {
    ...file,
    tensors: new Map(renamed.map(({ newKey, tensor }) => [newKey, tensor])),
    originals: new Map(renamed.map(({ newKey, key }) => [newKey, key])),
  };
}

/** Names of the graph's layers that have parameters, in the order of Keras' `model.layers`. */
export function kerasOrder(graph: Graph): string[] {
  return [...layersOfGraph(graph).keys()];
}

function byKind(layers: ReadonlyMap<string, Parts>): Map<string, string[]> {
  const kinds = new Map<string, string[]>();
  for (const [layer, parts] of layers) {
    const kind = kindOf(parts);
    kinds.set(kind, [...(kinds.get(kind) ?? []), layer]);
  }
  return kinds;
}

function kindOf(parts: Parts): string {
  const names = [...parts.keys()].join();
  if (/pointwise/.test(names)) return "separable convolution";
  if (/variance/.test(names)) return "norm";
  return (parts.get("weight") ?? parts.get("kernel")) === 2 ? "dense" : "convolution";
}

function layersOfFile({ tensors }: NamedTensors): Map<string, Parts> {
  return grouped(Array.from(tensors, ([key, { dims }]) => [...split(key, "/"), dims.length]));
}

/**
 * Keras' order is by the longest way to the output, the farthest first; layers equally far come in
 * the order in which a walk from the output meets them. Source: keras.src.ops.function, map_graph.
 */
function layersOfGraph(graph: Graph): Map<string, Parts> {
  const parametersOf = (node: Node) =>
    node.inputs.filter((name) => graph.initializers.has(name) && !isConstantName(name));
  const layerOf = (node: Node) => parametersOf(node).map((name) => split(name, ".")[0])[0];
  const depths = depthsOf(graph, layerOf);
  const met = walkFromOutputs(graph);
  const ordered = met
    .filter((node) => layerOf(node) !== undefined)
    .map((node, index) => ({ node, index, depth: depths.get(node)! }))
    .sort((a, b) => b.depth - a.depth || a.index - b.index);
  return grouped(
    ordered.flatMap(({ node }) =>
      parametersOf(node).map((name): [string, string, number] => [
        ...split(name, "."),
        graph.initializers.get(name)!.dims.length,
      ]),
    ),
  );
}

/** Layers between a node and the outputs; the nodes of one layer count as one. */
function depthsOf(graph: Graph, layerOf: (node: Node) => string | undefined): Map<Node, number> {
  const { maker: makerOf } = flowOf(graph);
  const depths = new Map<Node, number>(graph.nodes.map((node) => [node, 0]));
  for (const node of graph.nodes.toReversed())
    for (const name of node.inputs) {
      const maker = makerOf(name);
      if (!maker) continue;
      const isOneLayer = layerOf(node) !== undefined && layerOf(node) === layerOf(maker);
      const depth = depths.get(node)! + (isOneLayer ? 0 : 1);
      depths.set(maker, Math.max(depths.get(maker)!, depth));
    }
  return depths;
}

/** The nodes that the outputs depend on, each before its inputs, the first input first. */
function walkFromOutputs(graph: Graph): Node[] {
  const { maker } = flowOf(graph);
  const met = new Set<Node>();
  const walk = (name: string): void => {
    const node = maker(name);
    if (!node || met.has(node)) return;
    met.add(node);
    node.inputs.forEach(walk);
  };
  // The last output is the one that depends on the others.
  for (const { name } of graph.outputs.toReversed()) walk(name);
  return [...met];
}

function grouped(rows: readonly (readonly [string, string, number])[]): Map<string, Parts> {
  const layers = new Map<string, Map<string, number>>();
  for (const [layer, part, rank] of rows) {
    const parts = layers.get(layer) ?? new Map<string, number>();
    layers.set(layer, parts.set(part, rank));
  }
  return layers;
}

function split(name: string, separator: string): [layer: string, part: string] {
  const at = name.lastIndexOf(separator);
  return [name.slice(0, at), name.slice(at + 1)];
}
