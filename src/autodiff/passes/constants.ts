/** Arithmetic on constants, done once while building. */
import { type Graph, type Node, sizeOf, type Tensor } from "../../onnx/index.ts";
import { outputNames, type Pass, staticShapeOf } from "./pass.ts";

/** Only what rounds correctly, so that folding gives the runtime's results to the bit. */
const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Sqrt: Math.sqrt,
};
const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Div: (a, b) => a / b,
  Mul: (a, b) => a * b,
  Sub: (a, b) => a - b,
};
const RESHAPING: ReadonlySet<string> = new Set(["Flatten", "Reshape", "Squeeze", "Unsqueeze"]);
const LARGEST_FOLDED = 4096;

/** Nodes on small float32 constants become constants. What makes an output of the graph stays. */
export const foldConstants: Pass = (graph) => {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const results = outputNames(graph);
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const [name] = node.outputs;
    if (name === undefined || results.has(name) || node.domain !== "") return true;
    const operands = node.inputs.map((operand) =>
      inputs.has(operand) ? undefined : initializers.get(operand),
    );
    const contents = fold(graph, node, operands);
    if (contents) initializers.set(name, contents);
    return !contents;
  });
  return { ...graph, nodes, initializers };
};

function fold(
  graph: Graph,
  node: Node,
  [a, b]: readonly (Tensor | undefined)[],
): Tensor | undefined {
  const dims = staticShapeOf(graph, node.outputs[0]!);
  if (!dims || sizeOf(dims) > LARGEST_FOLDED || a?.type !== "float32") return undefined;
  const compute = (value: (index: number) => number): Tensor => ({
    type: "float32",
    dims,
    data: Float32Array.from({ length: sizeOf(dims) }, (_, index) => value(index)),
  });
  if (RESHAPING.has(node.operator)) return { ...a, dims };
  const unary = UNARY[node.operator];
  if (unary) return compute((index) => unary(Number(a.data[index])));
  const binary = BINARY[node.operator];
  if (!binary || b?.type !== "float32") return undefined;
  const [left, right] = [elementOf(a, dims), elementOf(b, dims)];
  return compute((index) => binary(left(index), right(index)));
}

/** The element that meets element `index` of the shape that an operand is broadcast to. */
function elementOf({ dims, data }: Tensor, target: readonly number[]): (index: number) => number {
  return (index) => {
    let [rest, offset, stride] = [index, 0, 1];
    for (let axis = target.length - 1; axis >= 0; axis--) {
      const size = dims[axis - (target.length - dims.length)] ?? 1;
      if (size !== 1) offset += (rest % target[axis]!) * stride;
      rest = Math.floor(rest / target[axis]!);
      stride *= size;
    }
    return Number(data[offset]);
  };
}
