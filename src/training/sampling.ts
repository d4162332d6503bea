/** Which samples an epoch shows, and in which order: a function of (seed, epoch). */
import { numbersBelow } from "../datasets/index.ts";
import { type RandomStream, randomStream } from "../random.ts";

export interface SamplingOptions {
  readonly seed: number;
  readonly epoch: number;
  /** Images of one step. */
  readonly step: number;
  /** The class of each sample. With it, every class is drawn equally often. */
  readonly classes?: ArrayLike<number> | undefined;
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
  const order = classes ? balanced(count, classes, random) : random.shuffle(numbersBelow(count));
  const length = stepsOf(count, step) * step;
  return length <= count ? order.subarray(0, length) : repeated(order, length);
}

/** Steps of an epoch. */
export function stepsOf(count: number, step: number): number {
  return Math.max(1, Math.floor(count / step));
}

function repeated(order: Uint32Array, length: number): Uint32Array {
  return new Uint32Array(length).map((_, place) => order[place % order.length]!);
}

/** As many samples as there are, classes taking turns; small classes come round again, reshuffled. */
function balanced(count: number, classes: ArrayLike<number>, random: RandomStream): Uint32Array {
  const groups = membersByClass(count, classes);
  const queues = groups.map((members) => ({
    films: random.shuffle(members.slice()),
    left: members.length,
  }));
  return new Uint32Array(count).map((_, place) => {
    const turn = place % groups.length;
    const queue = queues[turn]!;
    if (queue.left === 0) {
      queue.films.set(groups[turn]!);
      random.shuffle(queue.films);
      queue.left = queue.films.length;
    }
    return queue.films[--queue.left]!;
  });
}

/** The samples of each class that there is, classes in their order. */
function membersByClass(count: number, classes: ArrayLike<number>): Uint32Array[] {
  const sizes = new Map<number, number>();
  for (let index = 0; index < count; index++)
    sizes.set(classes[index]!, (sizes.get(classes[index]!) ?? 0) + 1);
  return [...sizes]
    .sort(([a], [b]) => a - b)
    .map(([name, size]) => {
      const members = new Uint32Array(size);
      let found = 0;
      for (let index = 0; found < size; index++)
        if (classes[index] === name) members[found++] = index;
      return members;
    });
}
