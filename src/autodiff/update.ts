/** The last part of a training graph: gathered, clipped gradients and the optimizer's update. */
import { allocate, operators as op, type Tensor, type Value } from "../onnx/index.ts";
import { type Assembly, accumulatorName, averageName, nextName, type Role } from "./assembly.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

/** Whether weight decay shrinks a parameter. */
export type Decays = (name: string, parameter: Tensor) => boolean;

export interface TrainingGraphOptions {
  readonly optimizer: Optimizer;
  /** Which parameters train; all by default. What does not train stays a constant of the graph. */
  readonly trainable?: ((name: string) => boolean) | undefined;
  /** Factor on the learning rate by parameter; 1 by default. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Which parameters decay; by default kernels: no biases, no norms, whatever their shape. */
  readonly decays?: Decays | undefined;
  /** Rescales the whole gradient when its Euclidean norm is larger. */
  readonly clipNorm?: number | undefined;
  /** Keeps an exponential moving average of the parameters (control `averageDecay`). */
  readonly averages?: boolean | undefined;
  readonly microBatches?: number | undefined;
  readonly loss?: string | undefined;
  /**
   * Channels in a block of this machine's blocked convolutions; 0, the default, keeps to standard
   * operators. The results are the same but for rounding.
   */
  readonly block?: number | undefined;
}

export interface ParameterGradient {
  readonly parameter: Value;
  readonly gradient: Value;
}

/** Adds this micro-batch's share of the gradient to what the step has gathered so far. */
export function accumulate(
  assembly: Assembly,
  gradients: readonly ParameterGradient[],
  microBatches: number,
  role: Role,
): ParameterGradient[] {
  const { builder } = assembly;
  const share = builder.scalar(1 / microBatches);
  return gradients.map(({ parameter, gradient }) => {
    const name = accumulatorName(parameter.name);
    const initial = zerosLike(parameter);
    const gathered = assembly.hold("accumulator", name, initial);
    const kept = role === "accumulate" ? op.mul(gathered, assembly.control("keep")) : gathered;
    const total = op.add(kept, op.mul(gradient, share));
    if (role === "accumulate") builder.output(total, nextName(name));
    return { parameter, gradient: total };
  });
}

function zerosLike(value: Value): Tensor {
  const dims = value.shape.map(Number);
  return {
    type: "float32",
    dims,
    data: allocate(
      "float32",
      dims.reduce((a, b) => a * b, 1),
    ),
  };
}

export function applyUpdates(
  assembly: Assembly,
  gradients: readonly ParameterGradient[],
  options: TrainingGraphOptions & { readonly decays: Decays },
): void {
  const { builder } = assembly;
  const { optimizer } = options;
  const norm = gradientNorm(gradients);
  builder.output(norm, "gradientNorm");
  const factor = options.clipNorm === undefined ? undefined : clipFactor(norm, options.clipNorm);
  const learningRate = assembly.control("learningRate");
  const update = optimizer.begin({ learningRate, step: assembly.control("step") });
  const { decays } = options;
  const initial = new Map(assembly.state.map((entry) => [entry.name, entry.initial]));
  for (const { parameter, gradient } of gradients) {
    const factorOfRate = options.rateOf?.(parameter.name) ?? 1;
    const slots = optimizer.slots.map((slot) =>
      assembly.hold("moment", `${parameter.name}:${slot}`, zerosLike(parameter)),
    );
    const updated = update({
      parameter,
      gradient: factor ? op.mul(gradient, factor) : gradient,
      slots,
      rate: factorOfRate === 1 ? learningRate : op.mul(learningRate, builder.scalar(factorOfRate)),
      decay: decays(parameter.name, initial.get(parameter.name)!) ? optimizer.weightDecay : 0,
    });
    builder.output(updated.parameter, nextName(parameter.name));
    for (const [index, slot] of updated.slots.entries())
      builder.output(slot, nextName(slots[index]!.name));
    if (options.averages)
      average(assembly, parameter, updated.parameter, initial.get(parameter.name)!);
  }
}

/** a' = decay a + (1 - decay) p'. */
function average(assembly: Assembly, parameter: Value, updated: Value, initial: Tensor): void {
  const { builder } = assembly;
  const name = averageName(parameter.name);
  const held = assembly.hold("average", name, initial);
  const decay = assembly.control("averageDecay");
  const change = op.mul(op.sub(updated, held), op.sub(builder.scalar(1), decay));
  builder.output(op.add(held, change), nextName(name));
}

/** Euclidean norm of all gradients together. */
function gradientNorm(gradients: readonly ParameterGradient[]): Value {
  const squares = gradients.map(({ gradient }) =>
    op.reduceSumSquare(gradient, { keepsDims: false }),
  );
  const [first, ...rest] = squares;
  return op.sqrt(rest.length === 0 ? first! : op.sum(first!, ...rest));
}

/** min(1, limit / norm). Source: Pascanu et al. 2013, algorithm 1. */
function clipFactor(norm: Value, limit: number): Value {
  const { builder } = norm;
  return op.min(
    op.div(builder.scalar(limit), op.max(norm, builder.scalar(1e-12))),
    builder.scalar(1),
  );
}
