/**
 * Batch norms that keep their statistics are affine maps by channel: behind a convolution they are
 * part of its weight and bias, also while those train. The maps then cost nothing but products of the
 * weights' size, forward and backward, instead of passes over the images.
 */
import {
  floatOf,
  type Graph,
  type GraphBuilder,
  type Node,
  operators as op,
  staticShape,
} from "../onnx/index.ts";
import { consumersOf, isStandard, outputNames } from "./passes/pass.ts";

/** Convolutions by the norm, of those that `isKept`, which alone reads their result. */
export function keptNorms(graph: Graph, isKept: (norm: Node) => boolean): ReadonlyMap<Node, Node> {
  const consumers = consumersOf(graph);
  const results = outputNames(graph);
  return new Map(
    graph.nodes.flatMap((node) => {
      const [norm, ...others] = consumers.get(node.outputs[0]!) ?? [];
      const isAlone = others.length === 0 && !results.has(node.outputs[0]!);
      const isFoldable =
        isStandard(node, "Conv") && isAlone && isStandard(norm, "BatchNormalization");
      return isFoldable && norm.inputs[0] === node.outputs[0] && isKept(norm)
        ? [[node, norm] as const]
        : [];
    }),
  );
}

/**
 * The convolution that does the work of both, its weight and bias computed in the graph:
 * W' = W s and b' = (b - mean) s + bias, with s = scale / sqrt(variance + epsilon) by output channel.
 */
export function foldedConvolution(conv: Node, norm: Node, builder: GraphBuilder): Node {
  const find = (name: string | undefined) => builder.find(name ?? "");
  const weight = find(conv.inputs[1])!;
  const own = find(conv.inputs[2]);
  const [scale, bias, mean, variance] = norm.inputs.slice(1).map((name) => find(name)!);
  const epsilon = builder.scalar(floatOf(norm.attributes, "epsilon", 1e-5));
  const inverse = op.reciprocal(op.sqrt(op.add(variance!, epsilon)));
  const slope = op.mul(scale!, inverse);
  const column = staticShape(weight).map((size, axis) => (axis === 0 ? size : 1));
  const folded = op.mul(weight, op.reshape(slope, column));
  const centre = own ? op.sub(own, mean!) : op.neg(mean!);
  const offset = op.add(op.mul(centre, slope), bias!);
  const inputs = [conv.inputs[0]!, folded.name, offset.name];
  return { ...conv, inputs, outputs: norm.outputs.slice(0, 1) };
}
