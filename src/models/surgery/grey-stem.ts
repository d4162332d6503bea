/**
 * One grey channel into a network of three: the stem's weights summed over its input channels, with
 * the publisher's normalisation folded in, instead of computing three channels that say the same.
 */
import {
  type Graph,
  graphBuilder,
  intOf,
  ints,
  intsOf,
  type Node,
  operators as op,
  stringOf,
  type Value,
} from "../../onnx/index.ts";
import type { Preprocessing } from "../backbone.ts";
import type { GreyChannels } from "./channel-rules.ts";
import { greyChannels } from "./channels.ts";
import { embedGraph } from "./embed.ts";
import { commonRatio, mixedChannels, offsets, perChannel } from "./stem-weights.ts";

export interface GreyScale {
  /** A pixel of 0 to 255 is `scale * n + offset`, n being the normalised grey. */
  readonly scale: number;
  readonly offset: number;
}

/**
 * The graph with an input `[N, 1, S, S]` of normalised grey instead of `[N, 3, S, S]` as its publisher
 * normalises: equal results to rounding, borders included. Where something other than convolutions,
 * padding and normalisation meets the image, three channels are computed from the grey one.
 */
export function greyStem(
  graph: Graph,
  preprocessing: Pick<Preprocessing, "mean" | "deviation">,
  { scale, offset }: GreyScale,
): Graph {
  const [input] = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const count = Number(input!.shape![1]);
  const deviations = preprocessing.deviation.slice(0, count);
  const shift = deviations.map((deviation, c) => (offset - preprocessing.mean[c]!) / deviation);
  const grey: GreyChannels = {
    gain: deviations.map((deviation) => scale / deviation),
    shift,
    edge: shift,
    border: [0, 0, 0, 0],
    order: [0, 1, 2, 3],
  };
  const channels = greyChannels(graph, input!.name, grey);
  const stems = stemsOf(graph, input!.name, channels);
  const builder = graphBuilder(undefined, namesOf(graph));
  const [batch, , ...sides] = input!.shape!;
  const x = builder.input(input!.name, "float32", [batch!, 1, ...sides]);
  if (!stems) {
    const whole = op.add(
      op.mul(x, builder.constant(perChannel(grey.gain))),
      builder.constant(perChannel(grey.shift)),
    );
    const results = embedGraph(builder, graph, { [input!.name]: whole });
    for (const [name, value] of Object.entries(results)) builder.output(value, name);
    return builder.build(graph.name);
  }
  const kept = graph.nodes.filter(({ outputs }) => !channels.has(outputs[0]!));
  const isRead = new Set(kept.flatMap(({ inputs }) => inputs));
  const rewritten = new Set([...stems.keys()].flatMap(({ inputs }) => inputs.slice(1)));
  for (const [name, contents] of graph.initializers)
    if (isRead.has(name) && !rewritten.has(name)) builder.parameter(name, contents);
  for (const node of kept) {
    const stem = stems.get(node);
    if (stem) appendStem(x, node, stem, graph);
    else builder.adopt(node);
  }
  for (const { name } of graph.outputs) builder.output(builder.find(name)!);
  return builder.build(graph.name);
}

/** Every name of the graph: no new node or value may take one. */
function namesOf({ initializers, nodes }: Graph): ReadonlySet<string> {
  return new Set([
    ...initializers.keys(),
    ...nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ]);
}

interface Stem {
  readonly gain: readonly number[];
  /** What is in a channel beyond `gain * n + edge`, inside of the border. */
  readonly rest: readonly number[];
  /** What fills the border, and is everywhere else too. */
  readonly edge: readonly number[];
  readonly border: GreyChannels["border"];
}

/** The convolutions that meet the image; undefined where anything else does. */
function stemsOf(
  graph: Graph,
  input: string,
  channels: ReadonlyMap<string, GreyChannels>,
): ReadonlyMap<Node, Stem> | undefined {
  const stems = new Map<Node, Stem>();
  for (const node of graph.nodes) {
    if (!node.inputs.some((name) => channels.has(name)) || channels.has(node.outputs[0]!)) continue;
    if (readsBatchOnly(node, input)) continue;
    const stem = stemOf(graph, node, channels);
    if (!stem) return undefined;
    stems.set(node, stem);
  }
  return graph.outputs.some(({ name }) => channels.has(name)) ? undefined : stems;
}

/** `Shape` of the input's first axis: how exporters ask for the size of the batch. */
function readsBatchOnly({ operator, attributes, inputs }: Node, input: string): boolean {
  const isFirst = intOf(attributes, "start", 0) === 0 && intOf(attributes, "end", 4) === 1;
  return operator === "Shape" && inputs[0] === input && isFirst;
}

function stemOf(
  graph: Graph,
  node: Node,
  channels: ReadonlyMap<string, GreyChannels>,
): Stem | undefined {
  const [read, ...parameters] = node.inputs;
  const grey = channels.get(read!);
  const isOwn = (name: string) =>
    graph.initializers.get(name)?.type === "float32" &&
    graph.nodes.every((other) => other === node || !other.inputs.includes(name));
  const isConvolution =
    node.operator === "Conv" && node.domain === "" && intOf(node.attributes, "group", 1) === 1;
  if (!isConvolution || !grey || !parameters.filter((name) => name !== "").every(isOwn))
    return undefined;
  if (grey.order.join() !== "0,1,2,3") return undefined;
  const pads = intsOf(node.attributes, "pads") ?? [0];
  const isSame = stringOf(node.attributes, "auto_pad", "NOTSET").startsWith("SAME");
  const isPadded = isSame || pads.some((size) => size > 0);
  const hasBorder = grey.border.some((size) => size > 0);
  const isMixed = hasBorder && isPadded && grey.edge.some((value) => value !== 0);
  if (isMixed) return undefined;
  const zero = grey.gain.map(() => 0);
  const edge = hasBorder ? grey.edge : isPadded ? zero : grey.shift;
  const rest = grey.shift.map((value, c) => value - edge[c]!);
  return { gain: grey.gain, rest, edge, border: grey.border };
}

/** The stem on the grey image; on a second channel of ones where the channels' rests differ. */
function appendStem(x: Value, node: Node, stem: Stem, graph: Graph): void {
  const { builder } = x;
  const weight = graph.initializers.get(node.inputs[1]!)!;
  const old = graph.initializers.get(node.inputs[2] ?? "");
  const ratio = commonRatio(stem.rest, stem.gain);
  const mixes = ratio === undefined ? [stem.gain, stem.rest] : [stem.gain];
  const image =
    ratio === undefined
      ? op.add(
          op.mul(x, builder.constant(perChannel([1, 0]))),
          builder.constant(perChannel([0, 1])),
        )
      : ratio === 0
        ? x
        : op.add(x, builder.scalar(ratio));
  const summed = builder.parameter(node.inputs[1]!, mixedChannels(weight, mixes));
  const base = offsets(weight, stem.edge, old);
  const bias = old ? builder.parameter(node.inputs[2]!, base!) : base && builder.constant(base);
  const { image: framed, attributes } = framedBy(image, node, stem.border);
  const inputs = [framed.name, summed.name, ...(bias ? [bias.name] : [])];
  builder.adopt({ ...node, inputs, attributes });
}

/** The border as the convolution's own padding, or as a Pad node where that is computed. */
function framedBy(image: Value, node: Node, border: GreyChannels["border"]) {
  if (border.every((size) => size === 0)) return { image, attributes: node.attributes };
  const [top, left, bottom, right] = border;
  const { auto_pad, ...attributes } = node.attributes;
  if (stringOf(node.attributes, "auto_pad", "NOTSET").startsWith("SAME")) {
    const padded = op.pad(image, [0, 0, top, left, 0, 0, bottom, right]);
    return { image: padded, attributes: node.attributes };
  }
  const own = auto_pad ? [0, 0, 0, 0] : (intsOf(attributes, "pads") ?? [0, 0, 0, 0]);
  const pads = own.map((size, side) => size + border[side]!);
  return { image, attributes: { ...attributes, pads: ints(pads) } };
}
