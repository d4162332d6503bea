/** Keeps what is under way at one time within a limit, whatever the number of callers. */

/** Runs the work once its weight fits beside what is under way; in the order of asking. */
export type Gate = <T>(weight: number, work: () => Promise<T>) => Promise<T>;

/** A gate for weights of that sum; what is heavier passes alone. */
export function weightGate(limit: number): Gate {
  const waiting: { readonly weight: number; readonly start: () => void }[] = [];
  let inside = 0;
  const admit = () => {
    for (let next = waiting[0]; next && inside + next.weight <= limit; next = waiting[0]) {
      waiting.shift();
      inside += next.weight;
      next.start();
    }
  };
  return async (weight, work) => {
    const counted = Math.min(weight, limit);
    await new Promise<void>((start) => {
      waiting.push({ weight: counted, start });
      admit();
    });
    try {
      return await work();
    } finally {
      inside -= counted;
      admit();
    }
  };
}
