/** Several objectives at once: who is beaten by nobody. */

/** Whether `a` is nowhere worse and somewhere better; both are losses. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((loss, k) => loss <= b[k]!) && a.some((loss, k) => loss < b[k]!);
}

export interface FrontPlace {
  /** 0 for the front itself, 1 for the front of the rest, and so on. */
  readonly rank: number;
  /** Larger where fewer are near; infinite at a front's ends. */
  readonly crowding: number;
}

/** Front and crowding distance of each point. Source: Deb et al. 2002, NSGA-II. */
export function nondominationRanks(points: readonly (readonly number[])[]): FrontPlace[] {
  const places = new Array<FrontPlace>(points.length);
  let rest = points.map((_, index) => index);
  for (let rank = 0; rest.length > 0; rank++) {
    const front = rest.filter((a) => !rest.some((b) => dominates(points[b]!, points[a]!)));
    for (const [at, crowding] of crowdingOf(front.map((index) => points[index]!)).entries())
      places[front[at]!] = { rank, crowding };
    rest = rest.filter((index) => !front.includes(index));
  }
  return places;
}

function crowdingOf(front: readonly (readonly number[])[]): number[] {
  const result = front.map(() => 0);
  for (const k of (front[0] ?? []).keys()) {
    const order = front.map((_, index) => index).sort((a, b) => front[a]![k]! - front[b]![k]!);
    const range = front[order.at(-1)!]![k]! - front[order[0]!]![k]!;
    for (const [rank, index] of order.entries()) {
      const [before, after] = [order[rank - 1], order[rank + 1]];
      const isEnd = before === undefined || after === undefined;
      result[index]! += isEnd
        ? Number.POSITIVE_INFINITY
        : range > 0
          ? (front[after]![k]! - front[before]![k]!) / range
          : 0;
    }
  }
  return result;
}
