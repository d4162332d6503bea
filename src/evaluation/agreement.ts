/** How far predicted and true classes agree, from a confusion matrix (rows are what is true). */

type Matrix = readonly (readonly number[])[];

interface Margins {
  readonly total: number;
  readonly correct: number;
  readonly actual: readonly number[];
  readonly predicted: readonly number[];
}

function marginsOf(matrix: Matrix): Margins {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const actual = matrix.map(sum);
  const predicted = matrix.map((_, column) => sum(matrix.map((row) => row[column]!)));
  return {
    total: sum(actual),
    correct: sum(matrix.map((row, index) => row[index]!)),
    actual,
    predicted,
  };
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * b[index]!, 0);

/**
 * Cohen's kappa, unweighted; null where everything is and is said to be of one class.
 * Source: Cohen 1960, "A coefficient of agreement for nominal scales", equation 1.
 */
export function kappa(matrix: Matrix): number | null {
  const { total, correct, actual, predicted } = marginsOf(matrix);
  const expected = dot(actual, predicted);
  const largest = total * total - expected;
  return largest === 0 ? null : (correct * total - expected) / largest;
}

/**
 * Gorodkin's R_K, for two classes Matthews' correlation coefficient; null where all that is true, or
 * all that is predicted, is of one class. Source: Gorodkin 2004, "Comparing two K-category
 * assignments by a K-category correlation coefficient", equation 8.
 */
export function matthews(matrix: Matrix): number | null {
  const { total, correct, actual, predicted } = marginsOf(matrix);
  const spread = (margin: readonly number[]) => total * total - dot(margin, margin);
  const scale = Math.sqrt(spread(actual) * spread(predicted));
  return scale === 0 ? null : (correct * total - dot(actual, predicted)) / scale;
}
