/** Expansions whose reader broadcasts anyway. */
import { broadcastShapes, type Graph, type Node } from "../../onnx/index.ts";
import { isSameShape, isStandard, type Pass, producersOf, staticShapeOf } from "./pass.ts";

const BROADCASTING: ReadonlySet<string> = new Set([
  "Add",
  "Div",
  "Equal",
  "Greater",
  "Less",
  "Max",
  "Min",
  "Mul",
  "Pow",
  "Sub",
  "Sum",
  "Where",
]);

/**
 * An elementwise node reads what was expanded instead of the expansion, where its other operands
 * already have the shape of its result. In `depthwise` (224x224, batch 16) the two expansions of
 * pooled gradients took 3.8 of 1,682 ms a step.
 */
export const readUnexpanded: Pass = (graph) => {
  const producers = producersOf(graph);
  const nodes = graph.nodes.map((node) => {
    if (node.domain !== "" || !BROADCASTING.has(node.operator)) return node;
    let { inputs } = node;
    for (const [index, name] of inputs.entries()) {
      const expansion = producers.get(name);
      if (!isStandard(expansion, "Expand")) continue;
      const shorter = inputs.map((other, place) =>
        place === index ? expansion.inputs[0]! : other,
      );
      if (keepsShape(graph, node, shorter)) inputs = shorter;
    }
    return inputs === node.inputs ? node : { ...node, inputs };
  });
  return { ...graph, nodes };
};

function keepsShape(graph: Graph, node: Node, inputs: readonly string[]): boolean {
  const shapes = inputs.map((name) => staticShapeOf(graph, name));
  const result = staticShapeOf(graph, node.outputs[0]!);
  if (!result || !shapes.every((shape) => shape !== undefined)) return false;
  const broadcast = broadcastShapes(...shapes);
  return broadcast !== undefined && isSameShape(broadcast as readonly number[], result);
}
