/** Which samples an epoch shows, and in which order: a function of (seed, epoch). */
import { randomStream } from "../random.ts";

export interface SamplingOptions {
  readonly seed: number;
  readonly epoch: number;
  /** Images of one step. */
  readonly step: number;
  /** With it, every class is drawn equally often; -1 for samples of no single class. */
  readonly classes?: readonly number[] | undefined;
}

/** Indices of one epoch, a whole number of steps; the remainder waits for another epoch's shuffle. */
export function epochOrder(
  count: number,
  { seed, epoch, step, classes }: SamplingOptions,
): Uint32Array {
  const random = randomStream(seed, "epoch-order", epoch);
  const steps = Math.max(1, Math.floor(count / step));
  const all = Array.from({ length: count }, (_, index) => index);
  const order = classes ? balanced(all, classes, random) : random.shuffled(all);
  return Uint32Array.from({ length: steps * step }, (_, place) => order[place % order.length]!);
}

/** As many samples as there are, classes taking turns; small classes come round again, reshuffled. */
function balanced(
  all: readonly number[],
  classes: readonly number[],
  random: ReturnType<typeof randomStream>,
): number[] {
  const names = [...new Set(classes)].sort((a, b) => a - b);
  const members = names.map((name) => all.filter((index) => classes[index] === name));
  const queues = members.map((group) => random.shuffled(group));
  return all.map((_, place) => {
    const turn = place % names.length;
    const queue = queues[turn]!;
    const next = queue.pop();
    if (next !== undefined) return next;
    queues[turn] = random.shuffled(members[turn]!);
    return queues[turn]!.pop()!;
  });
}

/** Weights by class, inverse to how often it occurs, with a mean of 1 over the samples. */
export function classWeights(classes: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const name of classes) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(
    [...counts].map(([name, count]) => [name, classes.length / (counts.size * count)]),
  );
}
