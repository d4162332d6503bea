/** Sobol's sequence in the numbering of Joe and Kuo, and configurations along it. */
import { HilumError } from "../../../errors.ts";
import { randomStream } from "../../../random.ts";
import { type Params, paramsBy, type Space, valueOfShare } from "../space.ts";

/**
 * Primitive polynomial and first direction numbers from the second dimension on. Source: Joe and Kuo
 * 2008, "Constructing Sobol sequences with better two-dimensional projections", new-joe-kuo-6.
 */
const DIRECTIONS: readonly (readonly [polynomial: number, first: readonly number[]])[] = [
  [3, [1]],
  [7, [1, 3]],
  [11, [1, 3, 1]],
  [13, [1, 1, 1]],
  [19, [1, 1, 3, 3]],
  [25, [1, 3, 5, 13]],
  [37, [1, 1, 5, 5, 17]],
  [41, [1, 1, 5, 5, 5]],
  [47, [1, 1, 7, 11, 19]],
  [55, [1, 1, 5, 1, 1]],
  [59, [1, 1, 1, 3, 11]],
  [61, [1, 3, 5, 5, 31]],
  [67, [1, 3, 3, 9, 7, 49]],
  [91, [1, 1, 1, 15, 21, 21]],
  [97, [1, 3, 1, 13, 27, 49]],
  [103, [1, 1, 1, 15, 7, 5]],
  [109, [1, 3, 1, 15, 13, 25]],
  [115, [1, 1, 5, 5, 19, 61]],
  [131, [1, 3, 7, 11, 23, 15, 103]],
  [137, [1, 3, 7, 13, 13, 15, 69]],
  [143, [1, 1, 3, 13, 7, 35, 63]],
  [145, [1, 3, 5, 9, 1, 25, 53]],
  [157, [1, 3, 1, 13, 9, 35, 107]],
  [167, [1, 3, 1, 5, 27, 61, 31]],
  [171, [1, 1, 5, 11, 19, 41, 61]],
  [185, [1, 3, 5, 3, 3, 13, 69]],
  [191, [1, 1, 7, 13, 1, 19, 1]],
  [193, [1, 3, 7, 5, 13, 19, 59]],
  [203, [1, 1, 3, 9, 25, 29, 41]],
  [211, [1, 3, 5, 13, 23, 1, 55]],
  [213, [1, 3, 7, 3, 13, 59, 17]],
];
export const SOBOL_DIMENSIONS = DIRECTIONS.length + 1;
const BITS = 32;

/** Direction numbers of a dimension (from 0) as 32-bit fractions. Source: Bratley and Fox 1988. */
function directionsOf(dimension: number): Uint32Array {
  const v = new Uint32Array(BITS);
  if (dimension === 0) return v.map((_, bit) => 2 ** (BITS - 1 - bit));
  const [polynomial, first] = DIRECTIONS[dimension - 1]!;
  const degree = first.length;
  for (const [bit, m] of first.entries()) v[bit] = m * 2 ** (BITS - 1 - bit);
  for (let bit = degree; bit < BITS; bit++) {
    let value = v[bit - degree]! ^ (v[bit - degree]! >>> degree);
    for (let k = 1; k < degree; k++) if ((polynomial >>> (degree - k)) & 1) value ^= v[bit - k]!;
    v[bit] = value;
  }
  return v;
}

/** Point `index` (from 0) of the unscrambled sequence, each coordinate a whole number below 2^32. */
export function sobolPoint(index: number, dimensions: number): number[] {
  const gray = index ^ (index >>> 1);
  return Array.from({ length: dimensions }, (_, dimension) => {
    const v = directionsOf(dimension);
    let x = 0;
    for (let bit = 0; bit < BITS; bit++) if ((gray >>> bit) & 1) x ^= v[bit]!;
    return x >>> 0;
  });
}

/** The trial's point, shifted digitally by the seed, so that seeds differ and evenness stays. */
export function sobolParams(space: Space, seed: number, number: number): Params {
  const count = space.dimensions.length;
  if (count > SOBOL_DIMENSIONS)
    throw new HilumError(
      "space-invalid",
      `The space has ${count} dimensions, and Sobol's sequence here ${SOBOL_DIMENSIONS}. Use another sampler.`,
      { dimensions: count },
    );
  const shift = randomStream(seed, "sweep", "sobol");
  const shares = sobolPoint(number, count).map(
    (x) => ((x ^ shift.integer(2 ** BITS)) >>> 0) / 2 ** BITS,
  );
  return paramsBy(space, (dimension, index) => valueOfShare(dimension, shares[index]!));
}
