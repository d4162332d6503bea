/** The normal distribution where it is cut off. */

/** log(1 / sqrt(2 pi)). */
const LOG_PEAK = -0.5 * Math.log(2 * Math.PI);

/** Error function for 0 <= x < 2.5. Source: Abramowitz and Stegun 7.1.6; all terms are positive. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** exp(x^2) erfc(x) for x >= 2.5. Source: the continued fraction, Abramowitz and Stegun 7.1.14. */
function scaledComplement(x: number): number {
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return 1 / (Math.sqrt(Math.PI) * (x + fraction));
}

/** Log of the probability below z, to about 1e-14 relative, into the far tail. */
export function logNormalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  if (z > 0) return Math.log1p(-Math.exp(logNormalCdf(-z)));
  if (x < 2.5) return Math.log(0.5 * (1 - erfSeries(x)));
  return -x * x + Math.log(0.5 * scaledComplement(x));
}

/** Log of the probability between a and b, a < b. */
export function logNormalMass(a: number, b: number): number {
  if (a > 0) return logNormalMass(-b, -a);
  if (b > 0) return Math.log1p(-Math.exp(logNormalCdf(a)) - Math.exp(logNormalCdf(-b)));
  const [low, high] = [logNormalCdf(a), logNormalCdf(b)];
  return high + Math.log1p(-Math.exp(low - high));
}

/** Log of the density at z. */
export function logNormalDensity(z: number): number {
  return LOG_PEAK - (z * z) / 2;
}
