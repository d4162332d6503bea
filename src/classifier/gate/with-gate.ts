/**
 * A classifier's model with the gate in front: scores beside its probabilities, and inverted greys
 * put right before its network sees them.
 */
import { HilumError } from "../../errors.ts";
import { resizeImages, resizePlanes } from "../../images/index.portable.ts";
import { embedGraph } from "../../models/index.ts";
import {
  type Graph,
  graphBuilder,
  type Model,
  operators as op,
  type Value,
} from "../../onnx/index.ts";
import { readMetadata } from "../metadata.ts";
import { corrected } from "./network.ts";
import { GATE_SCORES, readGateMetadata, writeGateMetadata } from "./scores.ts";

const FILMS = "images";
export const GATE_OUTPUT = "gate";
const SCOPE = "gate";
/**
 * Side of the squares that the gate was fitted to. Films that the network gets at this size or larger
 * are made that small from what the network gets: whole films are then made small once, for both. Left
 * at 224 pixels they lie further from the training films (by 0.06 in the mean, of a limit of 1.36).
 */
const FITTED_SIDE = 160;

/**
 * The model with an output `gate` float32 `[N, G]`, whose columns and limits are in the metadata entry
 * `hilum.gate`. Films with inverted greys give the probabilities of the films themselves. A gate that
 * was there is replaced. Throws `not-a-classifier`.
 */
export function withGate(model: Model, gate: Model): Model {
  const bare = withoutGate(model);
  const { input } = readMetadata(bare.metadata, "the model");
  const metadata = readGateMetadata(gate.metadata, "the gate");
  if (!metadata)
    throw new HilumError("not-a-classifier", "The gate is no gate that Hilum wrote.", {});
  const resized = endOfResizing(bare.graph);
  const isShared = input.fit === "squash" && input.size >= FITTED_SIDE && resized !== undefined;
  const builder = graphBuilder(undefined, namesOf(bare.graph));
  const [films] = bare.graph.inputs;
  const images = builder.input(FILMS, films!.type!, films!.shape!);
  for (const [name, contents] of bare.graph.initializers) builder.parameter(name, contents);
  const append = (nodes: Graph["nodes"], from: string, to: string) => {
    const renamed = (name: string) => (name === from ? to : name);
    for (const node of nodes) builder.adopt({ ...node, inputs: node.inputs.map(renamed) });
  };
  const { nodes } = bare.graph;
  if (isShared) {
    const end = nodes.findIndex(({ outputs }) => outputs.includes(resized));
    append(nodes.slice(0, end + 1), "", "");
    const film = builder.find(resized)!;
    const small = builder.scope(SCOPE, () => resizePlanes(film, FITTED_SIDE));
    const { scores, isInverted } = scoresOf(images, small, gate.graph);
    const right = builder.scope(SCOPE, () => corrected(film, isInverted));
    append(nodes.slice(end + 1), resized, right.name);
    builder.output(scores, GATE_OUTPUT);
  } else {
    const film = builder.scope(SCOPE, () =>
      resizeImages(images, { size: FITTED_SIDE, fit: "squash" }),
    );
    const { scores, isInverted } = scoresOf(images, film, gate.graph);
    const right = builder.scope(SCOPE, () => negated(images, isInverted));
    append(nodes, FILMS, right.name);
    builder.output(scores, GATE_OUTPUT);
  }
  const graph = builder.build(bare.graph.name);
  return {
    ...bare,
    graph: { ...graph, outputs: [...bare.graph.outputs, ...graph.outputs] },
    metadata: new Map([...bare.metadata, writeGateMetadata(metadata)]),
  };
}

/** The model without its gate, as it was before `withGate`. */
export function withoutGate(model: Model): Model {
  if (!model.graph.outputs.some(({ name }) => name === GATE_OUTPUT)) return model;
  const isGates = (name: string) => name.startsWith(`${SCOPE}/`);
  const { graph } = model;
  // What the network reads of the gate is the corrected film: it reads the film itself again.
  const sources = new Map<string, string>();
  const own = graph.nodes.filter(({ name }) => isGates(name));
  const kept = graph.nodes.filter(
    ({ name, outputs }) => !isGates(name) && outputs[0] !== GATE_OUTPUT,
  );
  const madeByGate = new Set(own.flatMap(({ outputs }) => outputs));
  const film = endOfResizing({ ...graph, nodes: kept });
  for (const node of kept)
    for (const name of node.inputs)
      if (madeByGate.has(name)) sources.set(name, film !== undefined ? film : FILMS);
  const nodes = kept.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => sources.get(name) ?? name),
  }));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    ...model,
    graph: {
      ...graph,
      nodes,
      outputs: graph.outputs.filter(({ name }) => name !== GATE_OUTPUT),
      initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))),
    },
    metadata: new Map([...model.metadata].filter(([key]) => key !== "hilum.gate")),
  };
}

/** All scores `[N, G]` in the order of the table, and whether each film's greys are inverted. */
function scoresOf(images: Value, film: Value, gate: Graph): { scores: Value; isInverted: Value } {
  const { builder } = images;
  const made = embedGraph(builder, gate, { films: film }, { prefix: SCOPE });
  const scores = builder.scope(SCOPE, () => {
    const zero = op.mul(made.contrast!, builder.scalar(0));
    const sides = op.cast(op.slice(op.shapeOf(images), [{ axis: 0, start: 1, end: 3 }]), "float32");
    const shorter = op.reduceMin(sides, { axes: [0] });
    const sizes: Readonly<Record<string, Value>> = {
      side: op.add(zero, shorter),
      aspect: op.add(zero, op.div(op.reduceMax(sides, { axes: [0] }), shorter)),
    };
    const [first, ...rest] = GATE_SCORES.map(({ name }) => sizes[name] ?? made[name]!);
    return op.concat([first!, ...rest], 1);
  });
  return { scores, isInverted: made.isInverted! };
}

/** 255 - x of the bytes of inverted films, as an exclusive or: subtraction of bytes is not had everywhere. */
function negated(images: Value, isInverted: Value): Value {
  const { builder } = images;
  const byte = (value: number) =>
    builder.constant({ type: "uint8", dims: [], data: Uint8Array.of(value) });
  const mask = op.where(op.reshape(isInverted, [-1, 1, 1]), byte(255), byte(0));
  return op.bitwiseXor(images, mask);
}

/** The value with the films at the network's size, as `resizeImages` ends: rounded and clipped. */
function endOfResizing({ nodes }: Pick<Graph, "nodes">): string | undefined {
  const resize = nodes.find(({ operator }) => operator === "Resize");
  const after = (operator: string, from: string | undefined) =>
    nodes.find((node) => node.operator === operator && node.inputs[0] === from)?.outputs[0];
  return after("Clip", after("Round", resize?.outputs[0]));
}

function namesOf({ nodes, initializers }: Graph): ReadonlySet<string> {
  return new Set([
    ...initializers.keys(),
    ...nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ]);
}
