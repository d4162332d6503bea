/** How alike two maps of equal size are. */

/**
 * Spearman's rank correlation, ties at their mean rank; null where one of the maps has a single value.
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const [ranksA, ranksB] = [ranksOf(a), ranksOf(b)];
  const mean = (a.length + 1) / 2;
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [ranksA[i]! - mean, ranksB[i]! - mean];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA === 0 || squareB === 0 ? null : product / Math.sqrt(squareA * squareB);
}

function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, place) => place);
  order.sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let place = start; place < end; place++) ranks[order[place]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/** Of the window's Gaussian, and where it ends. Wang et al. 2004, section III.C: 11 by 11 pixels. */
const DEVIATION = 1.5;
const REACH = 5;
/** Of a range of values from 0 to 1. */
const LUMINANCE = 0.01 ** 2;
const CONTRAST = 0.03 ** 2;

/**
 * The mean structural similarity of two square maps of values from 0 to 1, over the windows that lie
 * within them; the side is at least 11. Source: Wang, Bovik, Sheikh and Simoncelli 2004, equation 13.
 */
export function structuralSimilarity(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  side: number,
): number {
  const blurred = (of: (at: number) => number) =>
    windowed(
      Float64Array.from({ length: side * side }, (_, at) => of(at)),
      side,
    );
  const meanA = blurred((at) => a[at]!);
  const meanB = blurred((at) => b[at]!);
  const squareA = blurred((at) => a[at]! ** 2);
  const squareB = blurred((at) => b[at]! ** 2);
  const product = blurred((at) => a[at]! * b[at]!);
  const total = meanA.reduce((sum, x, at) => {
    const y = meanB[at]!;
    const covariance = product[at]! - x * y;
    const variances = squareA[at]! - x * x + squareB[at]! - y * y;
    const alike = (2 * x * y + LUMINANCE) * (2 * covariance + CONTRAST);
    return sum + alike / ((x * x + y * y + LUMINANCE) * (variances + CONTRAST));
  }, 0);
  return total / meanA.length;
}

/** Weighted means over the windows that lie within the square: `[side - 10, side - 10]`. */
function windowed(values: Float64Array, side: number): Float64Array {
  const weights = Array.from({ length: 2 * REACH + 1 }, (_, i) =>
    Math.exp(-((i - REACH) ** 2) / (2 * DEVIATION ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const inner = side - 2 * REACH;
  const rows = new Float64Array(side * inner);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < inner; x++)
      rows[y * inner + x] = weights.reduce((sum, w, i) => sum + w * values[y * side + x + i]!, 0);
  const means = new Float64Array(inner * inner);
  for (let y = 0; y < inner; y++)
    for (let x = 0; x < inner; x++)
      means[y * inner + x] = weights.reduce((sum, w, i) => sum + w * rows[(y + i) * inner + x]!, 0);
  return means.map((mean) => mean / total ** 2);
}

/** What speaks for the class as a share of its largest, as an overlay shows it: 0 to 1. */
export function scaledHeat(values: Float32Array): Float32Array {
  const largest = values.reduce((most, value) => Math.max(most, value), 0) || 1;
  return values.map((value) => Math.max(0, value) / largest);
}
