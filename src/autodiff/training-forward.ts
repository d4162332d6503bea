/** The forward part of a training graph: batch norms and dropouts switch to training. */
import { floatOf, type Graph, type Node, operators as op, type Value } from "../onnx/index.ts";
import type { Assembly } from "./assembly.ts";
import { blockedCopier } from "./blocked/copier.ts";
import { dependents } from "./gradient.ts";
import { foldedConvolution, keptNorms } from "./kept-norms.ts";
import { uniformNoise } from "./noise.ts";

export interface CopyOptions {
  readonly trainable: ReadonlySet<string>;
  /** Of the norms that train, by the name of their scale. */
  readonly keepsStatistics: (scale: string) => boolean;
  /** Channels in a block; 0 for standard operators only. */
  readonly block: number;
}

/** Copies the forward nodes, switching them to training; returns the new running statistics by name. */
export function copyForward(
  forward: Graph,
  assembly: Assembly,
  options: CopyOptions,
): Map<string, Value> {
  const { builder } = assembly;
  const { trainable, block } = options;
  const isTraining = (node: Node) => isTrainingNorm(node, options);
  const statistics = new Map<string, Value>();
  const moving = new Set(
    forward.nodes.flatMap((node) => (isTraining(node) ? node.inputs.slice(3, 5) : [])),
  );
  for (const [name, contents] of forward.initializers) {
    if (moving.has(name)) assembly.hold("statistic", name, contents);
    else if (!trainable.has(name)) builder.parameter(name, contents);
  }
  const copier =
    block === 0
      ? undefined
      : blockedCopier(assembly, forward, {
          block,
          isTraining,
          track: (node, ...batch) => track(node, batch, assembly, statistics),
        });
  const isActive = dependents(forward.nodes, trainable);
  const norms = keptNorms(forward, (node) => isActive.has(node.outputs[0]!) && !isTraining(node));
  const folded = new Set(norms.values());
  forward.nodes.forEach((original, index) => {
    if (folded.has(original)) return;
    const norm = norms.get(original);
    const node = norm ? foldedConvolution(original, norm, builder) : original;
    // What does not train is left to ONNX Runtime, which folds and blocks constant weights itself.
    if (isActive.has(node.outputs[0]!) && copier?.copies(node)) return;
    copier?.restore(node.inputs);
    if (isTraining(node)) normalizeByBatch(node, assembly, statistics);
    else if (node.operator === "Dropout") dropAtRandom(node, index, assembly);
    else builder.adopt(node);
  });
  copier?.restore(forward.outputs.map(({ name }) => name));
  return statistics;
}

/** A batch norm whose scale is frozen keeps its statistics: training and evaluation then agree. */
function isTrainingNorm(node: Node, { trainable, keepsStatistics }: CopyOptions): boolean {
  if (node.operator !== "BatchNormalization") return false;
  const scale = node.inputs[1] ?? "";
  return trainable.has(scale) && !keepsStatistics(scale);
}

function normalizeByBatch(node: Node, assembly: Assembly, statistics: Map<string, Value>): void {
  const { builder } = assembly;
  const outputs = [
    node.outputs[0]!,
    builder.uniqueName("batchMean"),
    builder.uniqueName("batchVariance"),
  ];
  const running = node.inputs
    .slice(3, 5)
    .map((name) => statistics.get(name) ?? builder.find(name)!);
  // ONNX Runtime writes outputs 1 and 2 over inputs 3 and 4, even where those are fed from outside:
  // it gets vectors that nobody else reads. With momentum 0 their contents do not matter.
  const scratch = running.map((value) => op.mul(value, builder.scalar(0)).name);
  const [, ...batch] = builder.adopt({
    ...node,
    inputs: [...node.inputs.slice(0, 3), ...scratch],
    outputs,
    attributes: {
      ...node.attributes,
      momentum: { kind: "float", value: 0 },
      training_mode: { kind: "int", value: 1 },
    },
  });
  track(node, batch, assembly, statistics);
}

/** running' = momentum running + (1 - momentum) batch, for mean and variance. */
function track(
  node: Node,
  batch: readonly Value[],
  { builder }: Assembly,
  statistics: Map<string, Value>,
): void {
  const momentum = floatOf(node.attributes, "momentum", 0.9);
  batch.forEach((value, index) => {
    const name = node.inputs[3 + index]!;
    const fresh = op.mul(value, builder.scalar(1 - momentum));
    // With momentum 0 nothing is kept; 0 times the old would be the node that ONNX Runtime writes over.
    const old = momentum === 0 ? undefined : (statistics.get(name) ?? builder.find(name)!);
    const next = old ? op.add(op.mul(old, builder.scalar(momentum)), fresh) : fresh;
    statistics.set(name, next);
  });
}

function dropAtRandom(node: Node, index: number, assembly: Assembly): void {
  const { builder } = assembly;
  const x = builder.find(node.inputs[0]!)!;
  const ratio = Number(builder.find(node.inputs[1] ?? "")?.constant?.data[0] ?? 0.5);
  const uniform = uniformNoise(assembly.control("noiseSeed"), index, x.shape.map(Number));
  const isKept = op.cast(op.greaterOrEqual(uniform, builder.scalar(ratio)), "float32");
  const mask = op.mul(isKept, builder.scalar(1 / (1 - ratio)));
  builder.node("Mul", [x, mask], {}, { outputs: [node.outputs[0]!], name: node.name });
}
