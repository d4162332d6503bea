/** The numbers of ../formula.py: weights and images from a hash of a name and a position. */
import type { Graph, Tensor } from "../../../src/onnx/index.ts";
import { values } from "../trajectories/formula.ts";

/** A parameter by its name: "conv1.weight", "bn1.scale", "bn1.mean" ... */
export function weightOf(name: string, dims: readonly number[]): Tensor {
  const kind = name.split(".").at(-1)!;
  if (["scale", "layer_scale", "variance"].includes(kind)) return values(name, dims, 0.25, 1);
  if (["bias", "mean", "cls_token", "pos_embed"].includes(kind)) return values(name, dims, 0.25);
  return values(name, dims, Math.sqrt(6 / dims.slice(1).reduce((a, b) => a * b, 1)));
}

/** The graph with every parameter by the formula; constants stay. */
export function withFormulaWeights(graph: Graph, isConstant: (name: string) => boolean): Graph {
  const initializers = new Map(
    [...graph.initializers].map(([name, tensor]) =>
      isConstant(name) ? [name, tensor] : [name, weightOf(name, tensor.dims)],
    ),
  );
  return { ...graph, initializers };
}
