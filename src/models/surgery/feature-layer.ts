/**
 * The value at which a network ends and its head begins: the last spatial map before pooling, or the
 * input of the last matrix product where there is none (transformers).
 */
import { HilumError, nearest } from "../../errors.ts";
import { type Graph, intsOf, type Node, type Shape, toNumbers } from "../../onnx/index.ts";
import { type Flow, flowOf } from "./flow.ts";

export interface FeatureLayer {
  readonly name: string;
  /** How its axes become `[N, C, h, w]` or `[N, C]`: as they are, moved, or averaged over tokens. */
  readonly form: "as it is" | "channels last" | "tokens";
}

interface View {
  readonly graph: Graph;
  readonly flow: Flow;
  shapeOf(name: string): Shape;
}

/** What a head may be made of, from the last map on. */
const HEAD_OPERATORS: ReadonlySet<string> = new Set([
  "Add",
  "BatchNormalization",
  "Cast",
  "Clip",
  "Conv",
  "Div",
  "Dropout",
  "Elu",
  "Flatten",
  "Gather",
  "Gelu",
  "Gemm",
  "HardSigmoid",
  "HardSwish",
  "Identity",
  "LayerNormalization",
  "LeakyRelu",
  "LogSoftmax",
  "MatMul",
  "Mul",
  "Relu",
  "Reshape",
  "Sigmoid",
  "Slice",
  "Softmax",
  "Squeeze",
  "Sub",
  "Tanh",
  "Transpose",
  "Unsqueeze",
]);
const POOLS: ReadonlySet<string> = new Set([
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "MaxPool",
  "ReduceMax",
  "ReduceMean",
]);
/** Of maps: what works on the last axis, and what on each value alone. */
const ON_LAST_AXIS: ReadonlySet<string> = new Set(["LayerNormalization", "MatMul"]);
const BY_VALUE: ReadonlySet<string> = new Set(["Add", "Gelu", "Mul", "Relu", "Sigmoid"]);
const PRODUCTS: ReadonlySet<string> = new Set(["Gemm", "MatMul", "Conv"]);
const PROBABILITIES: ReadonlySet<string> = new Set(["Sigmoid", "Softmax", "LogSoftmax"]);
/** Classes of ImageNet, of it with a background, and of its larger edition. */
const CLASS_COUNTS: ReadonlySet<unknown> = new Set([1000, 1001, 21841, 21843]);

/**
 * The feature layer of a graph whose values have shapes, found or of the name given (of a value, or
 * of the node that makes it). Throws `unknown-layer` and `backbone-unsupported`.
 */
export function featureLayer(graph: Graph, wanted?: string): FeatureLayer {
  const flow = flowOf(graph);
  const view = { graph, flow, shapeOf: (name: string) => graph.values.get(name)?.shape ?? [] };
  return wanted === undefined ? found(view) : formOf(valueNamed(view, wanted), view);
}

function valueNamed({ graph, flow }: View, wanted: string): string {
  if (flow.isInflow(wanted) && flow.maker(wanted)) return wanted;
  const node = graph.nodes.find(({ name }) => name === wanted);
  const [output] = node?.outputs ?? [];
  if (output !== undefined && flow.isInflow(output)) return output;
  const made = graph.nodes.filter(({ outputs }) => flow.isInflow(outputs[0]!));
  const names = made.flatMap((candidate) => [...candidate.outputs, candidate.name]);
  const suggestion = nearest(wanted, names);
  throw new HilumError(
    "unknown-layer",
    `The model has no value or node called "${wanted}" that the image reaches.${
      suggestion === undefined ? "" : ` Did you mean "${suggestion}"?`
    }`,
    { name: wanted, suggestion },
  );
}

function formOf(name: string, { flow, shapeOf }: View): FeatureLayer {
  const rank = shapeOf(name).length;
  if (rank === 2) return { name, form: "as it is" };
  if (rank === 3) return { name, form: "tokens" };
  if (rank === 4) {
    const inner = beforeTranspose(name, flow);
    if (inner !== undefined) return { name: inner, form: "as it is" };
    return { name, form: isChannelsLast(name, flow) ? "channels last" : "as it is" };
  }
  throw new HilumError(
    "backbone-unsupported",
    `"${name}" has shape [${shapeOf(name).join(", ")}]: features are maps [N, C, h, w], vectors [N, C] or tokens [N, T, C].`,
    { name },
  );
}

const CHANNELS_LAST = "0,2,3,1";
const isMove = (node: Node | undefined, perm: string): boolean =>
  node?.operator === "Transpose" && intsOf(node.attributes, "perm")?.join() === perm;

/** Whether a map was made by what works on the last axis, or had its channels moved there. */
function isChannelsLast(name: string, flow: Flow): boolean {
  const node = flow.maker(name);
  if (!node) return false;
  if (ON_LAST_AXIS.has(node.operator) || isMove(node, CHANNELS_LAST)) return true;
  const [inflow] = flow.inflows(node);
  return inflow !== undefined && BY_VALUE.has(node.operator) && isChannelsLast(inflow, flow);
}

/** What a value was before its channels were moved to the end. */
function beforeTranspose(name: string, flow: Flow): string | undefined {
  const maker = flow.maker(name);
  return isMove(maker, CHANNELS_LAST) ? maker?.inputs[0] : undefined;
}

function found(view: View): FeatureLayer {
  const { graph, flow, shapeOf } = view;
  const results = graph.outputs.map(({ name }) => name).filter((name) => flow.isInflow(name));
  const result = results.find((name) => shapeOf(name).length === 2) ?? results[0];
  if (result === undefined)
    throw new HilumError("backbone-unsupported", "No output of the model depends on its image.");
  let productInput: string | undefined;
  let hasProbabilities = false;
  for (let name = result; ; ) {
    const map = mapAt(name, view);
    if (map) {
      if (productInput !== undefined) return map;
      return classesBefore(map, result, hasProbabilities, view) ?? map;
    }
    const node = flow.maker(name);
    const [inflow, ...others] = node ? flow.inflows(node) : [];
    const isHead = node && inflow !== undefined && others.length === 0 && isOfHead(node);
    if (!isHead) break;
    if (PRODUCTS.has(node.operator)) productInput ??= inflow;
    if (PROBABILITIES.has(node.operator)) hasProbabilities = true;
    name = inflow;
  }
  return formOf(productInput ?? result, view);
}

const isOfHead = ({ operator, domain }: Node): boolean =>
  domain === "" && (HEAD_OPERATORS.has(operator) || POOLS.has(operator));

/** The map that a value is, or is pooled from. */
function mapAt(name: string, view: View): FeatureLayer | undefined {
  const [, first, second, third] = view.shapeOf(name);
  const isSpatial = third !== undefined && second !== 1 && (first !== 1 || third !== 1);
  if (isSpatial) return layout(name, view);
  const node = view.flow.maker(name);
  const pooled = node?.inputs[0] ?? "";
  if (!node || !POOLS.has(node.operator) || view.shapeOf(pooled).length !== 4) return undefined;
  const axes = view.graph.initializers.get(node.inputs[1] ?? "");
  return layout(pooled, view, axes && toNumbers(axes));
}

function layout(name: string, { flow }: View, axes?: readonly number[]): FeatureLayer {
  const inner = beforeTranspose(name, flow);
  if (inner !== undefined) return { name: inner, form: "as it is" };
  return { name, form: axes?.join() === "1,2" ? "channels last" : "as it is" };
}

/**
 * The input of a convolution that makes a map of each class, as fully convolutional classifiers end
 * with; undefined where the map looks like features: pooled without a head.
 */
function classesBefore(
  map: FeatureLayer,
  result: string,
  hasProbabilities: boolean,
  { flow, shapeOf }: View,
): FeatureLayer | undefined {
  const classes = shapeOf(result).at(-1);
  if (map.form !== "as it is" || shapeOf(map.name)[1] !== classes) return undefined;
  const read = beforeConvolution(map.name, flow);
  if (read === undefined) return undefined;
  const isReduced = Number(shapeOf(read)[1]) > Number(classes);
  const isOfClasses = hasProbabilities || CLASS_COUNTS.has(classes) || isReduced;
  return isOfClasses ? { name: read, form: "as it is" } : undefined;
}

/** The input of the convolution whose activated output the value is. */
function beforeConvolution(name: string, flow: Flow): string | undefined {
  const node = flow.maker(name);
  const [inflow, ...others] = node ? flow.inflows(node) : [];
  if (!node || inflow === undefined || others.length > 0 || !isOfHead(node)) return undefined;
  return node.operator === "Conv" ? skipDropout(inflow, flow) : beforeConvolution(inflow, flow);
}

function skipDropout(name: string, flow: Flow): string {
  const node = flow.maker(name);
  const isNothing = node?.operator === "Dropout" || node?.operator === "Identity";
  return isNothing ? skipDropout(node.inputs[0]!, flow) : name;
}
