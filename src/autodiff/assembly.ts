/** What the parts of a training graph share while it is being assembled: state, controls, roles. */
import {
  type Graph,
  type GraphBuilder,
  graphBuilder,
  type Tensor,
  type Value,
} from "../onnx/index.ts";
import { type CustomGradients, customGradients } from "./custom-gradient.ts";

export type StateKind = "parameter" | "statistic" | "moment" | "average" | "accumulator";

/** A tensor that lives across steps: graph input `name`, graph output `next:name`. */
export interface StateTensor {
  readonly name: string;
  readonly kind: StateKind;
  readonly initial: Tensor;
}

export const CONTROLS = {
  learningRate: "float32",
  step: "float32",
  averageDecay: "float32",
  keep: "float32",
  noiseSeed: "int64",
} as const;
export type Control = keyof typeof CONTROLS;

export const nextName = (name: string): string => `next:${name}`;
export const averageName = (name: string): string => `${name}:average`;
export const accumulatorName = (name: string): string => `${name}:accumulator`;

/** A whole step, or with micro-batches the last of one ("apply") and the others ("accumulate"). */
export type Role = "whole" | "accumulate" | "apply";

export interface Assembly {
  readonly builder: GraphBuilder;
  readonly state: StateTensor[];
  readonly controls: Set<Control>;
  readonly customs: CustomGradients;
  control(name: Control): Value;
  /** Declares a state tensor as an input. */
  hold(kind: StateKind, name: string, initial: Tensor): Value;
}

export function startAssembly(forward: Graph): Assembly {
  const names = forward.nodes.flatMap((node) => [node.name, ...node.outputs]);
  const builder = graphBuilder(undefined, new Set([...names, ...forward.initializers.keys()]));
  const state: StateTensor[] = [];
  const controls = new Set<Control>();
  for (const { name, type, shape } of forward.inputs) builder.input(name, type!, shape!);
  return {
    builder,
    state,
    controls,
    customs: customGradients(),
    control(name) {
      const known = builder.find(name);
      controls.add(name);
      return known ?? builder.input(name, CONTROLS[name], []);
    },
    hold(kind, name, initial) {
      state.push({ name, kind, initial });
      return builder.input(name, initial.type, initial.dims);
    },
  };
}
