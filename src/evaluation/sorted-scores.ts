/**
 * Scores in ascending order, sorted once. How often each film counts (its weight) may then change
 * from round to round of a bootstrap, and every statistic of the ranking still takes O(n).
 */

/** How often each film counts. */
export type Weights = Uint32Array;

export interface SortedScores {
  /** The film at each place. */
  readonly order: Uint32Array;
  readonly scores: Float64Array;
  /** 1 for positives. */
  readonly labels: Uint8Array;
}

export function sortScores(labels: ArrayLike<number>, scores: ArrayLike<number>): SortedScores {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => scores[a]! - scores[b]! || a - b);
  return {
    order,
    scores: Float64Array.from(order, (index) => scores[index]!),
    labels: Uint8Array.from(order, (index) => labels[index]!),
  };
}

/** Every film once. */
export function unitWeights(count: number): Weights {
  return new Uint32Array(count).fill(1);
}

/** The weights in the order of the scores, written into `target`. */
export function inOrder({ order }: SortedScores, weights: Weights, target: Weights): Weights {
  for (let place = 0; place < order.length; place++) target[place] = weights[order[place]!]!;
  return target;
}
