/** Any ONNX image classifier as a backbone: its features, without its head. */
import {
  mergeTransposes,
  optimizeGraph,
  removeCopies,
  removeDeadNodes,
} from "../../autodiff/index.ts";
import { HilumError } from "../../errors.ts";
import {
  type Graph,
  graphBuilder,
  isConstantName,
  type Model,
  operators as op,
  type Value,
} from "../../onnx/index.ts";
import { currentOperators } from "./current-operators.ts";
import { type FeatureLayer, featureLayer } from "./feature-layer.ts";
import { type FreedGraph, freedBatch } from "./free-batch.ts";
import { type ImageInput, imageInput } from "./image-input.ts";
import { fullWeights } from "./stored-weights.ts";
import { nameParameters } from "./trainable.ts";

export interface CutOptions {
  /** Name of a value or node of the file; found where it is not given. */
  readonly featureLayer?: string | undefined;
  /** Side of the images; the file's own, or 224, where it is not given. */
  readonly size?: number | undefined;
}

export interface CutBackbone {
  /** Input `x` float32 `[N, 3, S, S]` (1 where the file reads grey images), output `features`. */
  readonly graph: Graph;
  readonly size: number;
  /** Whether the file works at `size` only. */
  readonly isSizeFixed: boolean;
  /** The file's name of the value at which it was cut. */
  readonly featureLayer: string;
}

const DEFAULT_SIZE = 224;
const OTHER_SIZE_STEP = 32;

/**
 * The network of `model` up to its feature layer (maps `[N, C, h, w]`, or vectors `[N, C]` of a
 * transformer), for any batch, with its parameters by name. Throws `backbone-unsupported` where the
 * model is quantized, has no image input or not the size asked; `unknown-layer`;
 * `operator-unsupported` and `graph-invalid` where a shape before the layer cannot be known.
 */
export function cutBackbone(model: Model, options: CutOptions = {}): CutBackbone {
  const full = { ...model, graph: fullWeights(model.graph) };
  refuseQuantized(full.graph);
  const current = currentOperators(full);
  const input = imageInput(current);
  const own = input.side ?? options.size ?? DEFAULT_SIZE;
  const exported = freedBatch(current, input, own);
  const layer = layerOf(exported, options.featureLayer);
  const size = options.size ?? own;
  const freed = size === own ? exported : freedBatch(current, input, size);
  if (!freed.graph.values.has(layer.name))
    throw new HilumError(
      "backbone-unsupported",
      `The model works on images of ${own} x ${own} only, not ${size}: its file fixes shapes that depend on it. Train at size ${own}, or export it at ${size}.`,
      { size: own, asked: size },
    );
  const isFixed = (side: number) => !freedBatch(current, input, side).graph.values.has(layer.name);
  return {
    graph: finished(freed.graph, input, layer),
    size,
    isSizeFixed: size === own && isFixed(own + OTHER_SIZE_STEP),
    featureLayer: layer.name,
  };
}

const QUANTIZED = /^(QLinear|Quantize|Dequantize|DynamicQuantize|ConvInteger|MatMulInteger)/;

function refuseQuantized({ nodes, initializers }: Graph): void {
  const node = nodes.find(({ operator }) => QUANTIZED.test(operator));
  const half = [...initializers].find(([, { type }]) => type === "float16" || type === "bfloat16");
  if (!node && !half) return;
  const what = node
    ? `quantized (${node.operator} "${node.name}")`
    : `in half precision ("${half![0]}")`;
  throw new HilumError(
    "backbone-unsupported",
    `The model is ${what}: it cannot be trained. Export it in float32.`,
    { node: node?.name, tensor: half?.[0] },
  );
}

function layerOf({ graph, failures }: FreedGraph, wanted: string | undefined): FeatureLayer {
  const failure =
    wanted === undefined
      ? graph.outputs.length === 0 && [...failures.values()][0]
      : failures.get(wanted);
  if (failure) throw failure;
  return featureLayer(graph, wanted);
}

/** The graph cut at the layer, its input and output named as our own backbones' are. */
function finished(graph: Graph, input: ImageInput, layer: FeatureLayer): Graph {
  const cut = removeDeadNodes({ ...graph, outputs: [{ ...graph.values.get(layer.name)! }] });
  const { nodes, initializers } = nameParameters(cut);
  const taken = nodes.flatMap((node) => [node.name, ...node.outputs]);
  const builder = graphBuilder(undefined, new Set([...taken, ...initializers.keys()]));
  const [batch, ...sides] = graph.inputs[0]!.shape!;
  const side = sides[1]!;
  const x = builder.input("x", "float32", [batch!, input.channels, side, side]);
  const image = input.isChannelsLast ? op.transpose(x, [0, 2, 3, 1]) : x;
  const names = new Map([[input.name, image.name]]);
  const named = (name: string): string => names.get(name) ?? name;
  for (const [name, contents] of initializers) {
    if (RESERVED.has(name)) names.set(name, builder.uniqueName(`${name}_0`));
    if (isConstantName(name)) names.set(name, builder.constant(contents).name);
    else builder.parameter(named(name), contents);
  }
  for (const node of nodes) {
    for (const name of node.outputs)
      if (RESERVED.has(name)) names.set(name, builder.uniqueName(`${name}_0`));
    const [inputs, outputs] = [node.inputs.map(named), node.outputs.map(named)];
    builder.adopt({ ...node, inputs, outputs });
  }
  builder.output(inOurForm(builder.find(named(layer.name))!, layer), "features");
  const passes = [mergeTransposes, removeCopies, removeDeadNodes];
  const made = optimizeGraph(builder.build(graph.name), passes);
  // Inference loses sight of the batch where heads of attention were folded into it and out again.
  const outputs = made.outputs.map((output) => ({
    ...output,
    shape: [batch!, ...output.shape!.slice(1)],
  }));
  return { ...made, outputs };
}

/** Names of our own, which a file may use for something else. */
const RESERVED: ReadonlySet<string> = new Set(["x", "features"]);

function inOurForm(value: Value, { form }: FeatureLayer): Value {
  if (form === "channels last") return op.transpose(value, [0, 3, 1, 2]);
  if (form === "tokens") return op.reduceMean(value, { axes: [1], keepsDims: false });
  return value;
}
