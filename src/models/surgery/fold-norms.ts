/** Batch norms that keep their statistics, as part of the convolutions and products before them. */
import { floatOf, type Graph, intOf, type Node, type Tensor, toNumbers } from "../../onnx/index.ts";
import { flowOf } from "./flow.ts";

export interface FoldOptions {
  /** Parameters that train: what they belong to stays as it is. */
  isTrained?(name: string): boolean;
}

/**
 * The graph with each batch norm folded into the convolution (or matrix product with `transB`) whose
 * result nothing else reads: equal results to rounding, in evaluation. The weight keeps its name; the
 * bias has its own, or that of the norm's.
 */
export function foldNorms(graph: Graph, { isTrained = () => false }: FoldOptions = {}): Graph {
  const flow = flowOf(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const initializers = new Map(graph.initializers);
  const isFree = (name: string) =>
    graph.initializers.has(name) && flow.readers(name).length === 1 && !isTrained(name);
  const folded = new Map<Node, Node>();
  for (const norm of graph.nodes) {
    if (norm.operator !== "BatchNormalization" || norm.domain !== "") continue;
    const before = flow.maker(norm.inputs[0]!);
    const isOnly = flow.readers(norm.inputs[0]!).length === 1 && !outputs.has(norm.inputs[0]!);
    const statistics = norm.inputs.slice(1).map((name) => graph.initializers.get(name));
    if (!before || !isOnly || !canFold(before) || norm.outputs.length > 1) continue;
    const [, weightName, ownBias] = before.inputs as [string, string, string | undefined];
    const isFrozen = norm.inputs.slice(1, 3).every((name) => !isTrained(name));
    const isOwn = [weightName, ...(ownBias ? [ownBias] : [])].every(isFree);
    if (!isFrozen || !isOwn || !statistics.every((part) => part !== undefined)) continue;
    const biasName = ownBias || norm.inputs[2]!;
    if (!ownBias && flow.readers(biasName).length > 1) continue;
    const { factors, shifts } = affineOf(norm, statistics, graph.initializers.get(ownBias ?? ""));
    initializers.set(weightName, scaledRows(graph.initializers.get(weightName)!, factors));
    initializers.set(biasName, vector(shifts));
    folded.set(before, {
      ...before,
      inputs: [before.inputs[0]!, weightName, biasName],
      outputs: norm.outputs,
    });
    folded.set(norm, before);
  }
  const nodes = graph.nodes.flatMap((node) => {
    const made = folded.get(node);
    if (!made) return [node];
    return node.operator === "BatchNormalization" ? [] : [made];
  });
  const isRead = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    ...graph,
    nodes,
    initializers: new Map(
      [...initializers].filter(([name]) => isRead.has(name) || outputs.has(name)),
    ),
  };
}

/** Whether the rows of a node's weight are its output channels, and nothing scales the bias. */
function canFold({ operator, domain, attributes }: Node): boolean {
  if (domain !== "") return false;
  if (operator === "Conv") return true;
  const isPlain = floatOf(attributes, "alpha", 1) === 1 && floatOf(attributes, "beta", 1) === 1;
  return operator === "Gemm" && isPlain && intOf(attributes, "transB", 0) === 1;
}

/** What a norm makes of a channel y: `factor * (y + own bias) + the rest`, the bias in the shift. */
function affineOf(norm: Node, statistics: readonly (Tensor | undefined)[], own?: Tensor) {
  const [scale, bias, mean, variance] = statistics.map((part) => toNumbers(part!));
  const epsilon = floatOf(norm.attributes, "epsilon", 1e-5);
  const before = own && toNumbers(own);
  const factors = scale!.map((value, c) => value / Math.sqrt(variance![c]! + epsilon));
  const shifts = factors.map(
    (factor, c) => factor * ((before?.[before.length === 1 ? 0 : c] ?? 0) - mean![c]!) + bias![c]!,
  );
  return { factors, shifts };
}

function scaledRows({ type, dims, data }: Tensor, factors: readonly number[]): Tensor {
  const row = data.length / factors.length;
  const scaled = Float32Array.from(
    data as Float32Array,
    (value, index) => value * factors[Math.floor(index / row)]!,
  );
  return { type, dims, data: scaled };
}

const vector = (values: readonly number[]): Tensor => ({
  type: "float32",
  dims: [values.length],
  data: Float32Array.from(values),
});
