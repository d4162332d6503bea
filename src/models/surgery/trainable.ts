/**
 * Which numbers of a file are parameters: kernels, biases, scales, embeddings. All others get the
 * names of constants, which training and freezing pass by.
 */
import { type Graph, isConstantName, type Node, sizeOf, type Tensor } from "../../onnx/index.ts";
import { flowOf } from "./flow.ts";

/** Inputs that hold parameters, by operator. */
const SLOTS: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [1, 2, 3, 4],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 1, 2],
  GroupNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  MatMul: [0, 1],
  PRelu: [1],
};
/** Operators that hand a parameter on. */
const MOVES: ReadonlySet<string> = new Set([
  "Cast",
  "Expand",
  "Gather",
  "Identity",
  "Reshape",
  "Slice",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);
/** Operators that take a learned vector beside a value that was computed from the image. */
const BESIDE: ReadonlySet<string> = new Set(["Add", "Concat", "Div", "Mul", "Sub"]);

/** A bias this low masks out: it is no parameter. */
const MASKED = -50;

/**
 * The graph with parameters told from constants by name, and vectors that an exporter shares because
 * their contents were equal given to each reader as its own.
 */
export function nameParameters(graph: Graph): Graph {
  const parameters = parametersOf(graph);
  const taken = new Set([...graph.initializers.keys(), ...graph.values.keys()]);
  const unused = (base: string): string => {
    let name = base;
    for (let index = 1; taken.has(name); index++) name = `${base}_${index}`;
    taken.add(name);
    return name;
  };
  const initializers = new Map<string, Tensor>();
  const names = new Map<string, string>();
  for (const [name, contents] of graph.initializers) {
    const isParameter = parameters.has(name);
    const isTold = isParameter ? !isConstantName(name) : isConstantName(name);
    const isFloat = contents.type === "float32";
    const told = isTold || !isFloat ? name : unused(isParameter ? "parameter" : "constant");
    names.set(name, told);
    initializers.set(told, contents);
  }
  const claimed = new Set<string>();
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => {
      const told = names.get(name) ?? name;
      if (!parameters.has(name)) return told;
      const contents = graph.initializers.get(name)!;
      const isVector = contents.dims.filter((size) => size > 1).length <= 1;
      if (!claimed.has(told) || !isVector) {
        claimed.add(told);
        return told;
      }
      const own = unused(told);
      initializers.set(own, contents);
      return own;
    }),
  }));
  return { ...graph, nodes, initializers };
}

function parametersOf(graph: Graph): ReadonlySet<string> {
  const flow = flowOf(graph);
  const learned = learnedValues(graph);
  const isParameter = (name: string, contents: Tensor): boolean =>
    flow.readers(name).some((node) => {
      const isHandedOn = MOVES.has(node.operator) && node.inputs[0] === name;
      return (
        holds(node, name, contents, learned) ||
        (isHandedOn && isParameter(node.outputs[0]!, contents))
      );
    });
  const learnable = [...graph.initializers].filter(
    ([name, contents]) => contents.type === "float32" && isParameter(name, contents),
  );
  return new Set(learnable.map(([name]) => name));
}

function holds(
  node: Node,
  name: string,
  { dims, data }: Tensor,
  learned: ReadonlySet<string>,
): boolean {
  const slots = SLOTS[node.operator];
  if (slots) return slots.some((slot) => node.inputs[slot] === name);
  const isBeside = BESIDE.has(node.operator) && node.inputs.some((other) => learned.has(other));
  const isMask = node.operator === "Add" && (data as Float32Array).some((value) => value < MASKED);
  return isBeside && sizeOf(dims) > 1 && !isMask;
}

/** Values computed from the image by weights: what is done before is preprocessing. */
function learnedValues(graph: Graph): ReadonlySet<string> {
  const flow = flowOf(graph);
  const learned = new Set<string>();
  for (const node of graph.nodes) {
    const inflows = flow.inflows(node);
    const isWeighted = node.operator in SLOTS && node.operator !== "BatchNormalization";
    const isLearned =
      inflows.length > 0 && (isWeighted || inflows.some((name) => learned.has(name)));
    if (isLearned) for (const name of node.outputs) learned.add(name);
  }
  return learned;
}
