/** The last part of a training graph: gathered, clipped gradients and the optimizer's update. */
import { assert } from "../errors.ts";
import { allocate, operators as op, type Tensor, type Value } from "../onnx/index.ts";
import { type Assembly, accumulatorName, averageName, nextName, type Role } from "./assembly.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

/** Whether weight decay shrinks a parameter. */
export type Decays = (name: string, parameter: Tensor) => boolean;

export interface TrainingGraphOptions {
  readonly optimizer: Optimizer;
  /** Which parameters train; all by default. What does not train stays a constant of the graph. */
  readonly trainable?: ((name: string) => boolean) | undefined;
  /**
   * Which batch norms, by the name of their scale, keep their statistics although they train; none
   * by default. Training and evaluation then agree, as with those that do not train.
   */
  readonly keepsStatistics?: ((scale: string) => boolean) | undefined;
  /** Factor on the learning rate by parameter; 1 by default. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Which parameters decay; by default kernels: no biases, no norms, whatever their shape. */
  readonly decays?: Decays | undefined;
  /** Rescales the whole gradient when its Euclidean norm is larger. */
  readonly clipNorm?: number | undefined;
  /** Keeps an exponential moving average of parameters and statistics (control `averageDecay`). */
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

/** Parameters that share one update. */
interface UpdateGroup {
  readonly members: readonly ParameterGradient[];
  readonly rateFactor: number;
  readonly decay: number;
}

export function applyUpdates(
  assembly: Assembly,
  gradients: readonly ParameterGradient[],
  options: TrainingGraphOptions & { readonly decays: Decays },
): void {
  const { builder } = assembly;
  const { optimizer } = options;
  const groups = groupsOf(assembly, gradients, options).map((group) => ({
    ...group,
    gradient: joined(group.members.map((member) => member.gradient)),
  }));
  const norm = gradientNorm(groups.map(({ gradient }) => gradient));
  builder.output(norm, "gradientNorm");
  const factor = options.clipNorm === undefined ? undefined : clipFactor(norm, options.clipNorm);
  const learningRate = assembly.control("learningRate");
  const update = optimizer.begin({ learningRate, step: assembly.control("step") });
  for (const { members, rateFactor, decay, gradient } of groups) {
    const parameters = members.map(({ parameter }) => parameter);
    const slots = optimizer.slots.map((slot) => holdAll(assembly, "moment", parameters, slot));
    const updated = update({
      parameter: joined(parameters),
      gradient: factor ? op.mul(gradient, factor) : gradient,
      slots: slots.map(joined),
      rate: rateFactor === 1 ? learningRate : op.mul(learningRate, builder.scalar(rateFactor)),
      decay,
    });
    give(updated.parameter, parameters);
    for (const [index, slot] of updated.slots.entries()) give(slot, slots[index]!);
    if (options.averages) average(assembly, parameters, updated.parameter);
  }
}

/**
 * Vectors (biases, norms) of one rate and decay are updated as one long vector: of MobileNetV2's 158
 * parameters 105 are. Its step (224x224, batch 16) has 5,081 nodes then instead of 6,426 and takes 562
 * instead of 582 ms, and its session opens in 1.0 instead of 2.0 s.
 */
function groupsOf(
  { state }: Assembly,
  gradients: readonly ParameterGradient[],
  { optimizer, rateOf, decays }: TrainingGraphOptions & { readonly decays: Decays },
): UpdateGroup[] {
  const initial = new Map(state.map((entry) => [entry.name, entry.initial]));
  const groups = new Map<
    string,
    { members: ParameterGradient[]; rateFactor: number; decay: number }
  >();
  for (const member of gradients) {
    const { name, shape } = member.parameter;
    const rateFactor = rateOf?.(name) ?? 1;
    const decay = decays(name, initial.get(name)!) ? optimizer.weightDecay : 0;
    const key = shape.length === 1 ? `${rateFactor} ${decay}` : name;
    const group = groups.get(key);
    if (group) group.members.push(member);
    else groups.set(key, { members: [member], rateFactor, decay });
  }
  return [...groups.values()];
}

/**
 * One value of all. A weight of a 1x1 convolution lies flat: `[960, 160, 1, 1]` times a number takes
 * ONNX Runtime 0.7 ms. Flat, all `Mul` of MobileNetV2's step take 36 ms instead of 114.
 */
function joined(values: readonly Value[]): Value {
  const [first, ...rest] = values as [Value, ...Value[]];
  if (rest.length > 0) return op.concat([first, ...rest], 0);
  return isFlattened(first) ? op.reshape(first, [-1]) : first;
}

const isFlattened = ({ shape }: Value): boolean => shape.length > 1 && shape.at(-1) === 1;

/** Gives each state tensor its successor, its part of `joint`. */
function give(joint: Value, members: readonly Value[]): void {
  const { builder } = joint;
  const names = members.map(({ name }) => nextName(name));
  const [first, ...rest] = members as [Value, ...Value[]];
  if (rest.length === 0) {
    const shape = builder.integers(first.shape.map(Number));
    const whole = isFlattened(first)
      ? builder.node("Reshape", [joint, shape], {}, { outputs: names })[0]!
      : joint;
    builder.output(whole, names[0]!);
    return;
  }
  const sizes = builder.integers(members.map(({ shape }) => Number(shape[0])));
  const parts = builder.node("Split", [joint, sizes], {}, { outputs: names });
  for (const part of parts) builder.output(part);
}

function holdAll(
  assembly: Assembly,
  kind: "moment" | "average",
  parameters: readonly Value[],
  slot?: string,
): Value[] {
  return parameters.map((parameter) =>
    kind === "moment"
      ? assembly.hold(kind, `${parameter.name}:${slot}`, zerosLike(parameter))
      : assembly.hold(kind, averageName(parameter.name), initialOf(assembly, parameter)),
  );
}

function initialOf({ state }: Assembly, { name }: Value): Tensor {
  const found = state.find((entry) => entry.name === name);
  assert(found, `"${name}" is no state tensor`);
  return found.initial;
}

/**
 * The running statistics' own averages: those of the last few batches belong to weights that the
 * averaged weights are not.
 */
export function averageStatistics(
  assembly: Assembly,
  statistics: ReadonlyMap<string, Value>,
): void {
  if (statistics.size === 0) return;
  const held = [...statistics.keys()].map((name) => assembly.builder.find(name)!);
  average(assembly, held, joined([...statistics.values()]));
}

/** a' = decay a + (1 - decay) p'. */
function average(assembly: Assembly, parameters: readonly Value[], updated: Value): void {
  const { builder } = assembly;
  const held = holdAll(assembly, "average", parameters);
  const decay = assembly.control("averageDecay");
  const before = joined(held);
  const change = op.mul(op.sub(updated, before), op.sub(builder.scalar(1), decay));
  give(op.add(before, change), held);
}

/** Euclidean norm of all gradients together. */
function gradientNorm(gradients: readonly Value[]): Value {
  const squares = gradients.map((gradient) => op.reduceSumSquare(gradient, { keepsDims: false }));
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
