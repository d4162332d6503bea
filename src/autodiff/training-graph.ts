/**
 * From a forward graph to a training graph: what trains becomes an input, batch norms and dropouts
 * switch to training, gradients and the optimizer's update are appended. One run of the graph is
 * one step; it reads each state tensor and writes its successor, so that nothing is copied.
 */
import { HilumError } from "../errors.ts";
import { type Graph, isConstantName } from "../onnx/index.ts";
import { nextName, type Role, type StateTensor, startAssembly } from "./assembly.ts";
import { appendGradients } from "./gradient.ts";
import { FORWARD_PASSES, optimizeGraph } from "./passes/index.ts";
import { copyForward } from "./training-forward.ts";
import {
  accumulate,
  applyUpdates,
  averageStatistics,
  type Decays,
  type TrainingGraphOptions,
} from "./update.ts";

export interface TrainingGraph {
  /** A whole step; with accumulation, the last micro-batch of one. */
  readonly graph: Graph;
  /** With accumulation: any micro-batch but the last. */
  readonly accumulating: Graph | undefined;
  /** Micro-batches in a step. */
  readonly microBatches: number;
  readonly state: readonly StateTensor[];
  /** Scalar float inputs (`noiseSeed` is int64): see CONTROLS. */
  readonly controls: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Names of the float32 initializers that are parameters: all but the builder's own constants and
 * the running statistics of batch norms.
 */
export function parameterNames(graph: Graph): string[] {
  const statistics = new Set(
    graph.nodes.flatMap((node) =>
      node.operator === "BatchNormalization" ? node.inputs.slice(3, 5) : [],
    ),
  );
  return [...graph.initializers]
    .filter(
      ([name, { type }]) => type === "float32" && !statistics.has(name) && !isConstantName(name),
    )
    .map(([name]) => name);
}

/**
 * The training graph of `network`, whose shapes are static and which has a scalar output `loss`.
 * Throws `no-trainable-parameters` and `no-gradient-rule`.
 */
export function trainingGraph(network: Graph, options: TrainingGraphOptions): TrainingGraph {
  const forward = optimizeGraph(network, FORWARD_PASSES);
  const trainable = parameterNames(forward).filter(options.trainable ?? (() => true));
  if (trainable.length === 0)
    throw new HilumError(
      "no-trainable-parameters",
      "No parameter is left to train. Freeze fewer layers.",
    );
  const microBatches = options.microBatches ?? 1;
  const whole = assemble(forward, trainable, options, microBatches > 1 ? "apply" : "whole");
  const accumulating =
    microBatches > 1 ? assemble(forward, trainable, options, "accumulate") : undefined;
  return {
    graph: whole.graph,
    accumulating: accumulating?.graph,
    microBatches,
    state: whole.state,
    controls: [...new Set([...whole.controls, ...(accumulating?.controls ?? [])])],
    outputs: [...forward.outputs.map((output) => output.name), "gradientNorm"],
  };
}

/** Operators that shift, scale or normalise by their small operands, value by value. */
const BY_VALUE = new Set(["Add", "Sub", "Mul", "Div", "PRelu"]);

/**
 * Whether a parameter is a kernel. What has fewer than two dimensions is none; nor is a vector in
 * the shape of an image, `[1, C, 1, 1]`, that is only ever added or multiplied by.
 */
function decaying(forward: Graph): Decays {
  const isByValue = (name: string) =>
    forward.nodes.every(({ operator, inputs }) => !inputs.includes(name) || BY_VALUE.has(operator));
  return (name, { dims }) => {
    const isVector = dims.filter((size) => size > 1).length <= 1;
    return dims.length >= 2 && !(isVector && isByValue(name));
  };
}

function assemble(
  forward: Graph,
  trainable: readonly string[],
  options: TrainingGraphOptions,
  role: Role,
) {
  const assembly = startAssembly(forward);
  const { builder } = assembly;
  const parameters = trainable.map((name) =>
    assembly.hold("parameter", name, forward.initializers.get(name)!),
  );
  const statistics = copyForward(forward, assembly, {
    trainable: new Set(trainable),
    keepsStatistics: options.keepsStatistics ?? (() => false),
    block: options.block ?? 0,
  });
  for (const output of forward.outputs) builder.output(builder.find(output.name)!);

  const loss = builder.find(options.loss ?? "loss");
  if (!loss) throw new HilumError("graph-invalid", 'The forward graph has no output "loss".');
  const gradients = appendGradients(loss, parameters, assembly.customs);
  const reached = parameters.flatMap((parameter, index) =>
    gradients[index] ? [{ parameter, gradient: gradients[index] }] : [],
  );
  for (const [name, value] of statistics) builder.output(value, nextName(name));

  const microBatches = options.microBatches ?? 1;
  const totals = role === "whole" ? reached : accumulate(assembly, reached, microBatches, role);
  if (role !== "accumulate") {
    const decays = options.decays ?? decaying(forward);
    applyUpdates(assembly, totals, { ...options, decays });
    if (options.averages) averageStatistics(assembly, statistics);
  }
  return { ...assembly, graph: optimizeGraph(builder.build("training")) };
}
