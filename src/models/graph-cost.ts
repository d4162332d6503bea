/** What a graph costs: parameters, and multiply-adds of one image. */
import { parameterNames } from "../autodiff/index.ts";
import { assert } from "../errors.ts";
import { type Graph, intOf, type Node, sizeOf } from "../onnx/index.ts";

export interface GraphCost {
  /** Running statistics of norms, which nothing trains, are not counted. */
  readonly parameters: number;
  /** Of convolutions and matrix products, batch 1. A FLOP count takes two for each. */
  readonly multiplyAdds: number;
}

export function graphCost(graph: Graph): GraphCost {
  const shapeOf = (name: string): number[] => {
    const shape = graph.initializers.get(name)?.dims ?? graph.values.get(name)?.shape;
    assert(shape, `the shape of "${name}" is known`);
    // Symbols stand for the batch.
    return shape.map((dim) => (typeof dim === "number" ? dim : 1));
  };
  return {
    parameters: parameterNames(graph).reduce(
      (sum, name) => sum + sizeOf(graph.initializers.get(name)!.dims),
      0,
    ),
    multiplyAdds: graph.nodes.reduce((sum, node) => sum + multiplyAdds(node, shapeOf), 0),
  };
}

function multiplyAdds(node: Node, shapeOf: (name: string) => number[]): number {
  const output = () => sizeOf(shapeOf(node.outputs[0]!));
  if (node.operator === "Conv") return output() * sizeOf(shapeOf(node.inputs[1]!).slice(1));
  if (node.operator === "MatMul") return output() * shapeOf(node.inputs[0]!).at(-1)!;
  if (node.operator !== "Gemm") return 0;
  const [rows, columns] = shapeOf(node.inputs[0]!);
  return output() * (intOf(node.attributes, "transA", 0) ? rows! : columns!);
}
