/** Which samples an epoch shows, and in which order: a function of (seed, epoch). */
import { type RandomStream, randomStream } from "../random.ts";

export interface SamplingOptions {
  readonly seed: number;
  readonly epoch: number;
  /** Images of one step. */
  readonly step: number;
  /** The class of each sample. With it, every class is drawn equally often. */
  readonly classes?: readonly number[] | undefined;
}

/**
 * Indices of one epoch, a whole number of steps; the remainder waits for another epoch's shuffle.
 * Where there are fewer samples than a step takes, they come round again.
 */
export function epochOrder(
  count: number,
  { seed, epoch, step, classes }: SamplingOptions,
): Uint32Array {
  const random = randomStream(seed, "epoch-order", epoch);
  const steps = stepsOf(count, step);
  const all = Array.from({ length: count }, (_, index) => index);
  const order = classes ? balanced(all, classes, random) : random.shuffled(all);
  return Uint32Array.from({ length: steps * step }, (_, place) => order[place % order.length]!);
}

/** Steps of an epoch. */
export function stepsOf(count: number, step: number): number {
  return Math.max(1, Math.floor(count / step));
}

/** As many samples as there are, classes taking turns; small classes come round again, reshuffled. */
function balanced(
  all: readonly number[],
  classes: readonly number[],
  random: RandomStream,
): number[] {
  const names = [...new Set(classes)].sort((a, b) => a - b);
  const members = names.map((name) => all.filter((index) => classes[index] === name));
  const queues = members.map((group) => random.shuffled(group));
  return all.map((_, place) => {
    const turn = place % names.length;
    const next = queues[turn]!.pop();
    if (next !== undefined) return next;
    queues[turn] = random.shuffled(members[turn]!);
    return queues[turn]!.pop()!;
  });
}
