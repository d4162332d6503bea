/**
 * A model of an older operator set as a graph of the current one: attributes that became inputs are
 * moved, constants become initializers. Source: the change log of the standard's operators.
 */
import { HilumError } from "../../errors.ts";
import {
  type Attribute,
  type Attributes,
  float32,
  type Graph,
  int,
  int64,
  type Model,
  type Node,
  type Tensor,
} from "../../onnx/index.ts";

/** Operator sets before it laid out arithmetic and batch norms in other ways. */
const OLDEST = 9;

interface Change {
  /** The first operator set in which the attributes are inputs. */
  readonly since: number;
  /** Attributes in the order of the inputs after the first. */
  readonly attributes: readonly string[];
}

const AXES_13: Change = { since: 13, attributes: ["axes"] };
const AXES_18: Change = { since: 18, attributes: ["axes"] };

const CHANGES: Readonly<Record<string, Change>> = {
  Clip: { since: 11, attributes: ["min", "max"] },
  Dropout: { since: 12, attributes: ["ratio"] },
  Pad: { since: 11, attributes: ["pads", "value"] },
  Slice: { since: 10, attributes: ["starts", "ends", "axes"] },
  Split: { since: 13, attributes: ["split"] },
  Squeeze: AXES_13,
  Unsqueeze: AXES_13,
  ReduceSum: AXES_13,
  ReduceL1: AXES_18,
  ReduceL2: AXES_18,
  ReduceLogSum: AXES_18,
  ReduceLogSumExp: AXES_18,
  ReduceMax: AXES_18,
  ReduceMean: AXES_18,
  ReduceMin: AXES_18,
  ReduceProd: AXES_18,
  ReduceSumSquare: AXES_18,
};

/** Operators whose `axis` used to be 1 where it is not given. */
const SOFTMAXES: ReadonlySet<string> = new Set(["Softmax", "LogSoftmax", "Hardmax"]);

/**
 * The model's graph in the current operator set, without Constant nodes and copies of initializers.
 * Throws `operator-unsupported` for operator sets before 9 (ONNX 1.4, of 2019).
 */
export function currentOperators(model: Model): Graph {
  const version = model.opsets.get("") ?? model.opsets.get("ai.onnx") ?? OLDEST;
  if (version < OLDEST)
    throw new HilumError(
      "operator-unsupported",
      `The model's operator set is ${version}; ${OLDEST} or later is needed. Export it again with a later one.`,
      { opset: version },
    );
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const aliases = new Map<string, string>();
  const named = (name: string) => aliases.get(name) ?? name;
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const constant = (contents: Tensor): string => {
    let index = initializers.size;
    while (initializers.has(`constant_${index}`)) index++;
    initializers.set(`constant_${index}`, contents);
    return `constant_${index}`;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const [result] = node.outputs;
    const contents = node.operator === "Constant" ? contentsOf(node.attributes) : undefined;
    if (contents) {
      initializers.set(result!, contents);
      return [];
    }
    const inputs = node.inputs.map(named);
    if (node.operator === "Identity" && initializers.has(inputs[0]!) && !outputs.has(result!)) {
      aliases.set(result!, inputs[0]!);
      return [];
    }
    const domain = node.domain === "ai.onnx" ? "" : node.domain;
    return [domain === "" ? changed({ ...node, inputs, domain }, version, constant) : node];
  });
  return { ...graph, nodes, initializers };
}

function contentsOf(attributes: Attributes): Tensor | undefined {
  const [attribute] = Object.values(attributes);
  return attribute && tensorOf(attribute);
}

/** An attribute as a tensor: lists are vectors, single numbers scalars. */
function tensorOf(attribute: Attribute): Tensor | undefined {
  switch (attribute.kind) {
    case "tensor":
      return attribute.value;
    case "int":
      return int64([], [attribute.value]);
    case "ints":
      return int64([attribute.value.length], attribute.value);
    case "float":
      return float32([], [attribute.value]);
    case "floats":
      return float32([attribute.value.length], attribute.value);
    default:
      return undefined;
  }
}

function changed(node: Node, version: number, constant: (contents: Tensor) => string): Node {
  const { operator, attributes, inputs } = node;
  if (SOFTMAXES.has(operator) && version < 13 && !attributes.axis)
    return { ...node, attributes: { ...attributes, axis: int(1) } };
  if (operator === "Split" && version < 18 && !attributes.split && !inputs[1])
    return { ...node, attributes: { ...attributes, num_outputs: int(node.outputs.length) } };
  const change = CHANGES[operator];
  if (!change || version >= change.since) return node;
  const moved = change.attributes.map((name) => {
    const contents = attributes[name] && tensorOf(attributes[name]);
    return contents ? constant(contents) : "";
  });
  const rest = Object.entries(attributes).filter(([name]) => !change.attributes.includes(name));
  while (moved.at(-1) === "") moved.pop();
  return { ...node, inputs: [inputs[0]!, ...moved], attributes: Object.fromEntries(rest) };
}
