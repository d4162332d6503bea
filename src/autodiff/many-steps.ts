/**
 * Many steps as one run. A run costs before it computes anything, and again for each tensor that goes
 * in or comes out: of a head's step by itself (64 rows of 1,280 features, AdamW, 66 nodes: 0.36 ms)
 * about half. Among 69 in one run it took 0.19, with other work beside both.
 */
import { assert } from "../errors.ts";
import { type Graph, int, type ValueInfo } from "../onnx/index.ts";
import { nextName } from "./assembly.ts";
import { removeDeadNodes } from "./passes/index.ts";
import type { TrainingGraph } from "./training-graph.ts";

/** What a value of the step's graph is called outside: a name may be used once in a graph and all within it. */
export const outerName = (name: string): string => `outer:${name}`;

export interface ManySteps {
  /** Inputs that all steps share; they keep their names. */
  readonly shared?: readonly string[];
  /** What is wanted of each step; the rest is not computed. */
  readonly outputs: readonly string[];
}

/**
 * A graph whose run is as many steps as its inputs have entries along a new first axis, bit for bit what
 * single runs give. State goes in and comes out as of one step; what is not shared is stacked. Names are
 * those of the step by `outerName`. Source: ONNX, Scan (operator set 11).
 */
export function manySteps(
  { graph, accumulating, state }: TrainingGraph,
  { shared = [], outputs }: ManySteps,
): Graph {
  assert(!accumulating, "steps of micro-batches are not stacked");
  const before = state.map(({ name }) => named(graph.inputs, name));
  const after = state.map(({ name }) => named(graph.outputs, nextName(name)));
  const given = outputs.map((name) => named(graph.outputs, name));
  const common = shared.map((name) => named(graph.inputs, name));
  const fed = graph.inputs.filter((info) => ![...before, ...common].includes(info));
  const outer = (info: ValueInfo): ValueInfo => ({ ...info, name: outerName(info.name) });
  const stacked = (info: ValueInfo): ValueInfo => ({
    ...outer(info),
    shape: info.shape && ["steps", ...info.shape],
  });
  const body = removeDeadNodes({
    ...graph,
    name: `${graph.name}-step`,
    inputs: [...before, ...fed],
    outputs: [...after, ...given],
  });
  const scanned = {
    inputs: [...before.map(outer), ...fed.map(stacked)],
    outputs: [...after.map(outer), ...given.map(stacked)],
  };
  return {
    name: `${graph.name}-steps`,
    nodes: [
      {
        name: "steps",
        operator: "Scan",
        domain: "",
        inputs: scanned.inputs.map(({ name }) => name),
        outputs: scanned.outputs.map(({ name }) => name),
        attributes: { body: { kind: "graph", value: body }, num_scan_inputs: int(fed.length) },
      },
    ],
    inputs: [...common, ...scanned.inputs],
    outputs: scanned.outputs,
    initializers: new Map(),
    values: new Map(),
  };
}

function named(from: readonly ValueInfo[], name: string): ValueInfo {
  const info = from.find((one) => one.name === name);
  assert(info, `the training graph has no value "${name}"`);
  return info;
}
