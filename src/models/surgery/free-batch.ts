/**
 * A model whose batch and image size an exporter fixed, for any batch and for the size asked. Shapes
 * are inferred once with a batch that no other dimension can be mistaken for; where a node's shape
 * has that batch in it, or the batch of the export, it is made to follow the images'.
 */
import { type HilumError, isHilumError } from "../../errors.ts";
import {
  broadcastShapes,
  type Graph,
  type GraphBuilder,
  graphBuilder,
  int,
  intOf,
  type Node,
  operators as op,
  type Shape,
  sizeOf,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import type { ImageInput } from "./image-input.ts";

/** A prime, and larger than any axis of an image network that is not a multiple of the batch. */
const MARK = 1_000_003;

export interface FreedGraph {
  /** With an image input `["N", ...]` and shapes for every value that has one. */
  readonly graph: Graph;
  /** Why a value has none: what its node, or one before it, does not fit. */
  readonly failures: ReadonlyMap<string, HilumError>;
}

/** The graph for square images of `size` pixels and any batch. Nodes that do not fit are left out. */
export function freedBatch(graph: Graph, input: ImageInput, size: number): FreedGraph {
  const failures = new Map<string, HilumError>();
  const exported = input.batch ?? 1;
  const marked = startOf(graph, input, size, MARK * exported);
  const place = { exported, image: marked.find(input.name)!, initializers: graph.initializers };
  for (const node of graph.nodes)
    attempt(node, marked, failures, () => {
      const fix = node.domain === "" ? FIXES[node.operator] : undefined;
      marked.adopt(fix?.(node, marked, place) ?? node);
    });
  const freed = startOf(graph, input, size, "N");
  for (const name of madeInFixes(marked, graph))
    if (!freed.find(name)) freed.parameter(name, marked.find(name)!.constant!);
  for (const node of marked.nodes())
    attempt(node, freed, failures, () => {
      freed.adopt(node);
    });
  for (const { name } of graph.outputs) {
    const value = freed.find(name);
    if (value) freed.output(value);
  }
  return { graph: freed.build(graph.name), failures };
}

/** A builder that has the inputs and initializers, and whose new names are none of the graph's. */
function startOf(
  graph: Graph,
  { name, channels, isChannelsLast }: ImageInput,
  size: number,
  batch: number | string,
): GraphBuilder {
  const taken = new Set(graph.nodes.flatMap((node) => [node.name, ...node.outputs]));
  const builder = graphBuilder(undefined, taken);
  const sides = [size, size];
  const shape = isChannelsLast ? [batch, ...sides, channels] : [batch, channels, ...sides];
  builder.input(name, "float32", shape);
  for (const [key, contents] of graph.initializers) builder.parameter(key, contents);
  return builder;
}

function madeInFixes(builder: GraphBuilder, graph: Graph): string[] {
  const { initializers } = builder.build();
  return [...initializers.keys()].filter((name) => !graph.initializers.has(name));
}

/** Does it unless an operand is missing; notes why where it cannot be done. */
function attempt(
  node: Node,
  builder: GraphBuilder,
  failures: Map<string, HilumError>,
  body: () => void,
): void {
  const missing = node.inputs.find((name) => name !== "" && !builder.find(name));
  let failure = missing === undefined ? undefined : failures.get(missing);
  try {
    if (missing === undefined || !failure) body();
  } catch (error) {
    if (!isHilumError(error)) throw error;
    failure = error;
  }
  if (failure) for (const name of node.outputs) failures.set(name, failure);
}

interface Place {
  /** The batch of the export. */
  readonly exported: number;
  readonly image: Value;
  readonly initializers: Graph["initializers"];
}

/** The node that follows the images' batch; undefined where it does already. */
type Fix = (node: Node, builder: GraphBuilder, place: Place) => Node | undefined;

const isMarked = (size: number): boolean => size > 0 && size % MARK === 0;

const FIXES: Readonly<Record<string, Fix>> = {
  Reshape: (node, builder, { exported, initializers }) => {
    const [data, target] = node.inputs.map((name) => builder.find(name));
    if (!data || !target?.constant) return undefined;
    const from = data.shape.map(Number);
    const asked = toNumbers(target.constant);
    const isZeroCopied = intOf(node.attributes, "allowzero", 0) === 0;
    const dims = asked.map((size, axis) => (size === 0 && isZeroCopied ? from[axis]! : size));
    const total = sizeOf(from);
    const isOpen = dims.includes(-1);
    const isOfBatch = isOpen && from[0] === MARK * exported && dims[0] === exported;
    const isOff = !isOpen && total === MARK * sizeOf(dims);
    const isOwn = initializers.has(target.name);
    const isBaked = isOwn && (isOfBatch || isOff);
    if (isOwn && !isBaked) return undefined;
    if (isBaked) dims[0]! *= MARK;
    const open = dims.indexOf(-1);
    if (open >= 0) dims[open] = total / -sizeOf(dims);
    const shape = dims.map((size, axis) => {
      if (!isMarked(size)) return size;
      return size === from[axis] ? 0 : -1;
    });
    const { allowzero, ...attributes } = node.attributes;
    return { ...node, inputs: [data.name, builder.integers(shape).name], attributes };
  },
  Expand: (node, builder, { image, exported }) => {
    const [data, target] = node.inputs.map((name) => builder.find(name));
    if (!data || !target?.constant) return undefined;
    const asked = toNumbers(target.constant);
    const isBatch = isMarked(asked[0]!) || (exported > 1 && asked[0] === exported);
    if (!isBatch) return undefined;
    const target0 = [MARK * exported, ...asked.slice(1)];
    if (sameShape(broadcastShapes(data.shape, target0), data.shape))
      return { ...node, operator: "Identity", inputs: [data.name] };
    return { ...node, inputs: [data.name, batchOf(image, asked.slice(1)).name] };
  },
  ConstantOfShape: (node, builder, { image }) => {
    const target = builder.find(node.inputs[0]!);
    const dims = target?.constant && toNumbers(target.constant);
    if (!dims || !isMarked(dims[0] ?? 0)) return undefined;
    const value = node.attributes.value;
    const filler =
      value?.kind === "tensor" ? builder.constant({ ...value.value, dims: [] }) : builder.scalar(0);
    const inputs = [filler.name, batchOf(image, dims.slice(1)).name];
    return { ...node, operator: "Expand", inputs, attributes: {} };
  },
  Concat: (node, builder, { image, exported }) => {
    const parts = node.inputs.map((name) => builder.find(name)!);
    const isBatch = intOf(node.attributes, "axis", 0) !== 0;
    const batch = parts.find(({ shape }) => isMarked(Number(shape[0])));
    if (!isBatch || !batch || parts.every(({ shape }) => shape[0] === batch.shape[0]))
      return undefined;
    const inputs = parts.map((part) => {
      const row = part.shape[0] === 1 ? part : part.shape[0] === exported && commonRow(part);
      return row ? widened(row, image).name : part.name;
    });
    return { ...node, inputs };
  },
};

const sameShape = (a: Shape | undefined, b: Shape): boolean => a?.join() === b.join();

/** A shape that begins with the images' batch, computed when the graph runs. */
function batchOf(image: Value, rest: readonly number[]): Value {
  const { builder } = image;
  const [batch] = builder.node("Shape", [image], { start: int(0), end: int(1) });
  return op.concat([batch!, builder.integers(rest)], 0);
}

/** The row that a constant repeats for every image of the exported batch: a class token, expanded. */
function commonRow({ builder, constant }: Value): Value | undefined {
  if (constant?.type !== "float32") return undefined;
  const [count, ...rest] = constant.dims as [number, ...number[]];
  const data = constant.data as Float32Array;
  const size = sizeOf(rest);
  const isRepeated = data.every((value, index) => value === data[index % size]);
  if (count < 1 || !isRepeated) return undefined;
  return builder.constant({ type: "float32", dims: [1, ...rest], data: data.slice(0, size) });
}

function widened(value: Value, image: Value): Value {
  const target = batchOf(image, value.shape.slice(1).map(Number));
  return value.builder.node("Expand", [value, target])[0]!;
}
