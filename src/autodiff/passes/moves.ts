/**
 * Movements of elements that follow one another become one. Our own networks have none; graphs from
 * files and their gradients do, and ONNX Runtime copies the tensor for each.
 */
import {
  type Attributes,
  type Graph,
  intOf,
  ints,
  intsOf,
  type Node,
  toNumbers,
} from "../../onnx/index.ts";
import { isStandard, type Pass, producersOf, staticShapeOf } from "./pass.ts";

/** What the second of two nodes of one operator becomes when it reads what the first one reads. */
type Merge = (graph: Graph, first: Node, second: Node) => Attributes | undefined;

const merging =
  (operator: string, merge: Merge): Pass =>
  (graph) => {
    const producers = new Map(producersOf(graph));
    const nodes = graph.nodes.map((node) => {
      const first = producers.get(node.inputs[0] ?? "");
      if (!isStandard(node, operator) || !isStandard(first, operator)) return node;
      const attributes = merge(graph, first, node);
      if (!attributes) return node;
      const merged = { ...node, inputs: [first.inputs[0]!, ...node.inputs.slice(1)], attributes };
      producers.set(node.outputs[0]!, merged);
      return merged;
    });
    return { ...graph, nodes };
  };

function orderOf(graph: Graph, node: Node): readonly number[] | undefined {
  const rank = staticShapeOf(graph, node.inputs[0]!)?.length ?? 0;
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  return intsOf(node.attributes, "perm") ?? (rank > 0 ? reversed : undefined);
}

/** A transpose of a transpose; `removeCopies` then takes those that cancel. */
export const mergeTransposes: Pass = merging("Transpose", (graph, first, second) => {
  const [inner, outer] = [orderOf(graph, first), orderOf(graph, second)];
  return inner && outer && { ...second.attributes, perm: ints(outer.map((axis) => inner[axis]!)) };
});

/** A reshape of a reshape, unless the second copies dimensions from what the first made. */
export const mergeReshapes: Pass = merging("Reshape", (graph, _, second) => {
  const target = graph.initializers.get(second.inputs[1] ?? "");
  const copiesNone = intOf(second.attributes, "allowzero", 0) === 1;
  const isOwn = target !== undefined && (copiesNone || !toNumbers(target).includes(0));
  return isOwn ? second.attributes : undefined;
});
