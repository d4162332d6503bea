/** Pooling before activation: the same result from a fraction of the elements. */
import { floatOf, type Graph, type Node } from "../../onnx/index.ts";
import { consumersOf, isStandard, outputNames, type Pass, staticShapeOf } from "./pass.ts";

/** Activations that never fall as their operand rises, and whose kernels keep that to the bit. */
function isMonotone(node: Node): boolean {
  if (node.domain !== "") return false;
  if (node.operator === "LeakyRelu") return floatOf(node.attributes, "alpha", 0.01) >= 0;
  return node.operator === "Relu" || node.operator === "Clip";
}

/**
 * `MaxPool(Relu(x))` becomes `Relu(MaxPool(x))`, exactly, where nothing else reads the activation
 * and nothing reads the pool's indices. For graphs that are not yet differentiated: the gradient
 * then has the smaller mask too.
 *
 * Relu, its mask, Mul and MaxPool of a step, batch 16 on 2 cores: 45 ms become 36 of 423 in
 * `residual` at 224x224, 80 become 66 of 820 in `plain` at 128x128; the losses are equal to the bit.
 */
export const poolBeforeActivation: Pass = (graph) => {
  const consumers = consumersOf(graph);
  const results = outputNames(graph);
  const pools = new Map<Node, Node>();
  for (const node of graph.nodes) {
    const [pool, ...others] = consumers.get(node.outputs[0]!) ?? [];
    const isOnly = others.length === 0 && !results.has(node.outputs[0]!);
    if (isMonotone(node) && isOnly && isStandard(pool, "MaxPool") && pool.outputs.length === 1)
      pools.set(pool, node);
  }
  const activations = new Set(pools.values());
  const nodes = graph.nodes.flatMap((node) => {
    const activation = pools.get(node);
    if (!activation) return activations.has(node) ? [] : [node];
    const between = activation.outputs[0]!;
    return [
      { ...node, inputs: [activation.inputs[0]!], outputs: [between] },
      { ...activation, inputs: [between, ...activation.inputs.slice(1)], outputs: node.outputs },
    ];
  });
  return { ...graph, nodes, values: withPooledShapes(graph, pools) };
};

/** What used to be the activation's result now has the pool's shape. */
function withPooledShapes(graph: Graph, pools: ReadonlyMap<Node, Node>): Graph["values"] {
  const values = new Map(graph.values);
  for (const [pool, activation] of pools) {
    const name = activation.outputs[0]!;
    const [known, shape] = [values.get(name), staticShapeOf(graph, pool.outputs[0]!)];
    if (known && shape) values.set(name, { ...known, shape });
    else values.delete(name);
  }
  return values;
}
