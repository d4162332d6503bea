/**
 * Heat maps as an output of the classifier's graph: the logit of a class is differentiated with
 * respect to the network's last map, in the same graph, so that one run gives probability and map.
 * With A the map's channels and g = d logit / d A:
 *   Grad-CAM    relu(sum_k mean(g_k) A_k)                   Selvaraju et al. 2017, equations 1 and 2
 *   Grad-CAM++  relu(sum_k w_k A_k), w_k = sum a_k relu(g_k), a_k = g_k^2 / (2 g_k^2 + sum(A_k) g_k^3)
 *               Chattopadhay et al. 2018, equations 1, 5 and 19; the factor exp(logit) that all w_k
 *               of a film have in common is left out
 *   Layer-CAM   relu(sum_k relu(g_k) A_k)                   Jiang et al. 2021, equations 6 to 8
 * Vision transformers have tokens of patches in place of a map: Gildenblat, pytorch-grad-cam, takes
 * those that the last attention reads, for behind it only the token of the class matters.
 */
import { appendGradients, removeDeadNodes } from "../autodiff/index.ts";
import { HilumError } from "../errors.ts";
import { featureLayer } from "../models/index.ts";
import {
  batchesOf,
  extendedForAnyBatch,
  type Graph,
  type GraphBuilder,
  type Model,
  operators as op,
  type Value,
} from "../onnx/index.ts";
import { landmarksOf } from "./landmarks.ts";
import { explainedLabel, logitOf } from "./logits.ts";
import { type HeatMapMethod, readMetadata, writeMetadata } from "./metadata.ts";
import { averageMirrors } from "./mirrors.ts";

export const HEAT_MAP = "heatmap";

export interface HeatMapOptions {
  readonly method?: HeatMapMethod | undefined;
  /** A label; of the positive class, or of each film's most probable one, where none is given. */
  readonly class?: string | undefined;
}

/**
 * The classifier with a further output `heatmap` float32 `[N, h, w]`: what speaks for the class, not
 * negative, in units of the logit's gradient, at the size of the network's last map. An earlier heat
 * map is replaced. Throws `no-heat-map` where the network has no map, `invalid-option` for a class
 * that it does not know, and `not-a-classifier`.
 */
export function withHeatMap(
  model: Model,
  { method = "grad-cam", class: asked }: HeatMapOptions = {},
): Model {
  const metadata = readMetadata(model.metadata, "the model");
  const label = explainedLabel(metadata.task, asked);
  const plain = withoutHeatMap(model.graph);
  let size: readonly number[] = [];
  const graph = extendedForAnyBatch(plain, (builder) => {
    const logits = builder.find(landmarksOf(model).logits)!;
    const map = lastMap(builder, plain, logits);
    const value = builder.scope(HEAT_MAP, () => {
      const logit = logitOf(logits, metadata.task, label);
      return camOf(logit, map, method);
    });
    size = value.shape.slice(1).map(Number);
    return { [HEAT_MAP]: value };
  });
  const [height, width] = size as [number, number];
  const heatmap = { method, class: label, height, width };
  return {
    ...model,
    graph: removeDeadNodes(graph),
    metadata: new Map([...model.metadata, ...writeMetadata({ ...metadata, heatmap })]),
  };
}

function withoutHeatMap(graph: Graph): Graph {
  const outputs = graph.outputs.filter(({ name }) => name !== HEAT_MAP);
  return outputs.length === graph.outputs.length ? graph : removeDeadNodes({ ...graph, outputs });
}

/** A value of the graph, and how it becomes a map `[N, C, h, w]`; its gradient becomes one alike. */
interface LastMap {
  readonly value: Value;
  toMap(value: Value): Value;
}

/** What the head reads; of a vision transformer the tokens that its last attention reads. */
function lastMap(builder: GraphBuilder, graph: Graph, logits: Value): LastMap {
  const product = lastProduct(graph, logits.name);
  const { type, shape } = builder.find(product)!;
  const { name, form } = featureLayer({
    ...builder.build(),
    outputs: [{ name: product, type, shape }],
  });
  const value = builder.find(name)!;
  if (value.shape.length !== 4) return tokenGrid(builder, graph);
  if (value.shape[1] === 1)
    throw new HilumError(
      "no-heat-map",
      "The network reads its pixels by dense layers: it has no map to make a heat map of. Take the method occlusion or integrated-gradients.",
      { layer: name, shape: value.shape },
    );
  const isChannelsLast = form === "channels last";
  return { value, toMap: (x) => (isChannelsLast ? op.transpose(x, [0, 3, 1, 2]) : x) };
}

/** The tokens of patches `[N, T, C]` as a square; those before them (of the class) are left out. */
function tokenGrid(builder: GraphBuilder, { nodes }: Graph): LastMap {
  const attention = nodes.findLastIndex(({ operator }) => operator === "Softmax");
  const norm = nodes
    .slice(0, attention)
    .findLast(
      ({ operator, outputs }) =>
        operator === "LayerNormalization" && builder.find(outputs[0]!)?.shape.length === 3,
    );
  const value = norm && builder.find(norm.outputs[0]!);
  const [, tokens, width] = (value?.shape ?? []).map(Number);
  const side = Math.floor(Math.sqrt(tokens ?? 0));
  if (!value || side < 2)
    throw new HilumError(
      "no-heat-map",
      "The network ends with a vector, and has neither a map nor tokens of patches before it. Take the method occlusion or integrated-gradients.",
    );
  const toMap = (x: Value) => {
    const patches = op.slice(x, [{ axis: 1, start: tokens! - side ** 2, end: tokens! }]);
    return op.reshape(op.transpose(patches, [0, 2, 1]), [0, width!, side, side]);
  };
  return { value, toMap };
}

const PRODUCTS: ReadonlySet<string> = new Set(["Gemm", "MatMul", "Conv"]);

/** The last product that a value is made of: views of a film may be averaged after it. */
function lastProduct(graph: Graph, name: string): string {
  const needed = new Set([name]);
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    if (PRODUCTS.has(node.operator)) return node.outputs[0]!;
    for (const input of node.inputs) needed.add(input);
  }
  return name;
}

function camOf(logit: Value, { value, toMap }: LastMap, method: HeatMapMethod): Value {
  // An average over views is of a part each; of a map, only the view of its own film is wanted.
  const views = batchesOf(value.shape[0]) ?? 1;
  const scaled = views === 1 ? logit : op.mul(logit, logit.builder.scalar(views));
  const score = op.reduceSum(scaled, { axes: [0, 1], keepsDims: false });
  const [slope] = appendGradients(score, [value]);
  if (!slope)
    throw new HilumError("no-heat-map", "The logit does not depend on the network's last map.");
  const heat = METHODS[method](toMap(value), toMap(slope));
  // The view that follows its film in the batch is its mirror: turned back, it is averaged with it.
  return views === 1 ? heat : op.squeeze(averageMirrors(op.unsqueeze(heat, [1])), [1]);
}

type Cam = (map: Value, gradient: Value) => Value;

/** From maps and gradients `[N, C, h, w]` to `[N, h, w]`. */
const METHODS: Readonly<Record<HeatMapMethod, Cam>> = {
  "grad-cam": (map, gradient) => weighted(map, op.reduceMean(gradient, { axes: [2, 3] })),
  "grad-cam++": (map, gradient) => {
    const { builder } = map;
    const square = op.mul(gradient, gradient);
    const total = op.reduceSum(map, { axes: [2, 3] });
    const below = op.add(
      op.mul(square, builder.scalar(2)),
      op.mul(total, op.mul(square, gradient)),
    );
    // Where g is 0 so is the weight, whatever stands below.
    const isZero = op.equal(square, builder.scalar(0));
    const share = op.div(square, op.where(isZero, builder.scalar(1), below));
    return weighted(map, op.reduceSum(op.mul(share, op.relu(gradient)), { axes: [2, 3] }));
  },
  "layer-cam": (map, gradient) =>
    op.relu(op.reduceSum(op.mul(op.relu(gradient), map), { axes: [1], keepsDims: false })),
};

/** relu(sum_k w_k A_k), as one product for each film. */
function weighted(map: Value, weights: Value): Value {
  const [, channels, height, width] = map.shape.map(Number) as [number, number, number, number];
  const rows = op.reshape(weights, [0, 1, channels]);
  const columns = op.reshape(map, [0, channels, height * width]);
  return op.relu(op.reshape(op.matMul(rows, columns), [0, height, width]));
}
