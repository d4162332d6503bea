import { randomStream } from "../../random.ts";

export interface EmbeddingShift {
  /** The squared maximum mean discrepancy, unbiased: about 0 without a shift. */
  readonly mmd: number;
  /** Of the permutation test. */
  readonly p: number;
  /** Films compared, of both sets together. */
  readonly n: number;
}

/** The kernel's matrix of all pairs grows with the square: 400 films of each set are 640,000 pairs. */
const MOST_FILMS = 400;
const PERMUTATIONS = 500;

/** The films, or a seeded draw of 400 of more: enough for the test, and read in seconds. */
export function drawnFilms<T>(films: readonly T[], seed = 0): readonly T[] {
  if (films.length <= MOST_FILMS) return films;
  return randomStream(seed, "embeddings").shuffled(films).slice(0, MOST_FILMS);
}

/**
 * The discrepancy of two sets of embeddings (vectors of one length) under a Gaussian kernel as wide
 * as the median distance; of larger sets a seeded draw of 400. Null with fewer than two films in a set.
 * Source: Gretton et al. 2012, "A kernel two-sample test", equation 3 and section 8.
 */
export function embeddingShift(
  reference: readonly ArrayLike<number>[],
  current: readonly ArrayLike<number>[],
  { seed = 0 } = {},
): EmbeddingShift | null {
  const drawn = [drawnFilms(reference, seed), drawnFilms(current, seed + 1)];
  const first = drawn[0]!.length;
  const films = drawn.flat();
  if (first < 2 || films.length - first < 2) return null;
  const kernel = gaussianKernel(films);
  const mmd = discrepancy(kernel, films, first);
  const random = randomStream(seed, "permutations");
  let order = films.map((_, film) => film);
  let asFar = 1;
  for (let round = 0; round < PERMUTATIONS; round++) {
    order = random.shuffled(order);
    if (discrepancy(kernel, films, first, order) >= mmd) asFar++;
  }
  return { mmd, p: asFar / (PERMUTATIONS + 1), n: films.length };
}

function gaussianKernel(films: readonly ArrayLike<number>[]): Float64Array {
  const size = films.length;
  const squares = new Float64Array(size * size);
  const distances: number[] = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [films[i]!, films[j]!];
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
      squares[i * size + j] = sum;
      squares[j * size + i] = sum;
      distances.push(sum);
    }
  const rising = Float64Array.from(distances).sort();
  const median = rising[rising.length >> 1]! || 1;
  return squares.map((square) => Math.exp(-square / median));
}

function discrepancy(
  kernel: Float64Array,
  films: readonly unknown[],
  first: number,
  order?: readonly number[],
): number {
  const size = films.length;
  const second = size - first;
  let [within, beyond, across] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    const row = (order ? order[i]! : i) * size;
    for (let j = 0; j < i; j++) {
      const value = kernel[row + (order ? order[j]! : j)]!;
      if (i < first) within += value;
      else if (j >= first) beyond += value;
      else across += value;
    }
  }
  return (
    (2 * within) / (first * (first - 1)) +
    (2 * beyond) / (second * (second - 1)) -
    (2 * across) / (first * second)
  );
}
