/** Logistic regression without a penalty, for few features. */

const MOST_STEPS = 100;
/** Keeps the system solvable where classes are separable; too small to be seen in a fit that is not. */
const RIDGE = 1e-9;

/**
 * Weights of the features (the rows' columns) with the largest likelihood, by Newton's method with
 * halved steps. `targets` may lie between 0 and 1.
 */
export function logisticRegression(
  rows: readonly (readonly number[])[],
  targets: ArrayLike<number>,
  start?: readonly number[],
): number[] {
  const size = rows[0]!.length;
  let weights = start ? [...start] : new Array<number>(size).fill(0);
  let loss = lossOf(rows, targets, weights);
  for (let step = 0; step < MOST_STEPS; step++) {
    const gradient = new Array<number>(size).fill(0);
    const curvature = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => (i === j ? RIDGE : 0)),
    );
    rows.forEach((row, film) => {
      const p = 1 / (1 + Math.exp(-dot(row, weights)));
      for (let i = 0; i < size; i++) {
        gradient[i]! += (p - targets[film]!) * row[i]!;
        for (let j = 0; j < size; j++) curvature[i]![j]! += p * (1 - p) * row[i]! * row[j]!;
      }
    });
    for (let i = 0; i < size; i++) gradient[i]! += RIDGE * weights[i]!;
    const move = solved(curvature, gradient);
    let scale = 1;
    let next = weights;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (; scale > 1e-10 && !(nextLoss <= loss); scale /= 2) {
      next = weights.map((weight, i) => weight - scale * move[i]!);
      nextLoss = lossOf(rows, targets, next);
    }
    const moved = Math.max(...next.map((weight, i) => Math.abs(weight - weights[i]!)));
    if (!(nextLoss <= loss)) break;
    weights = next;
    loss = nextLoss;
    if (moved < 1e-12) break;
  }
  return weights;
}

const dot = (a: readonly number[], b: readonly number[]): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

function lossOf(
  rows: readonly (readonly number[])[],
  targets: ArrayLike<number>,
  weights: readonly number[],
): number {
  let loss = (RIDGE / 2) * dot(weights, weights);
  rows.forEach((row, film) => {
    const z = dot(row, weights);
    // log(1 + e^z) - t z, without overflow
    loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - targets[film]! * z;
  });
  return loss;
}

/** Gauss with pivots. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let k = column; k <= size; k++) rows[row]![k]! -= factor * rows[column]![k]!;
    }
  }
  return rows.map((row, i) => row[size]! / row[i]!);
}
