/** Beyond these a temperature says that the classes are separable, or the scores worthless. */
const COLDEST = 0.01;
const HOTTEST = 100;

/**
 * The temperature by which logits (or log probabilities), one row a film, are divided for the
 * largest likelihood of the true classes; between 0.01 and 100. The loss is convex in its inverse, whose
 * slope is halved in on. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
 */
export function temperatureOf(
  rows: readonly (readonly number[])[],
  truths: ArrayLike<number>,
): number {
  let [low, high] = [Math.log(1 / HOTTEST), Math.log(1 / COLDEST)];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (slopeAt(rows, truths, Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(low + high) / 2);
}

/** Of the log loss by the inverse temperature: the mean logit that is expected, less the true one. */
function slopeAt(
  rows: readonly (readonly number[])[],
  truths: ArrayLike<number>,
  inverse: number,
): number {
  let slope = 0;
  rows.forEach((row, film) => {
    const largest = Math.max(...row);
    let [sum, expected] = [0, 0];
    for (const z of row) {
      const share = Math.exp(inverse * (z - largest));
      sum += share;
      expected += share * z;
    }
    slope += expected / sum - row[truths[film]!]!;
  });
  return slope;
}
