/** From grey levels to what networks take. */
import { operators as op, type Value } from "../onnx/index.ts";
import { equalized, greyShares, heart, percentile } from "./histogram.ts";

/**
 * "range": -1 to 1. "standardize": each image to mean 0 and standard deviation 1, which takes an
 * exposure's brightness and contrast away. The other two look at the middle of an image alone, where
 * no border lies: "percentiles" cuts the darkest and the brightest hundredth off before it
 * standardizes, so that marks and metal do not count; "equalize" gives all grey levels their equal
 * share (within limits), which takes the whole tone curve away.
 */
export const NORMALIZATIONS = ["standardize", "range", "percentiles", "equalize"] as const;
export type Normalization = (typeof NORMALIZATIONS)[number];

/** Share of an image's pixels that "percentiles" cuts at either end. */
const CUT = 0.01;

/** Normalised images, from `[N, 1, S, S]` grey levels of 0 to 255. */
export function normalizeImages(x: Value, normalization: Normalization): Value {
  return NORMALIZERS[normalization](x);
}

const NORMALIZERS: Readonly<Record<Normalization, (x: Value) => Value>> = {
  standardize: (x) => standardized(x, x, GREY_VARIANCE),
  range: (x) => op.sub(op.mul(x, x.builder.scalar(1 / 127.5)), x.builder.scalar(1)),
  percentiles(x) {
    const shares = greyShares(heart(x));
    const [low, high] = [percentile(shares, CUT), percentile(shares, 1 - CUT)];
    const cut = op.min(op.max(x, low), high);
    return standardized(cut, heart(cut), GREY_VARIANCE);
  },
  equalize(x) {
    const ranks = equalized(x, greyShares(heart(x)));
    return standardized(ranks, heart(ranks), GREY_VARIANCE / 255 ** 2);
  },
};

/** Of half a grey level: keeps flat images finite. */
const GREY_VARIANCE = 0.25;

/** By the mean and the deviation of `sample`. */
function standardized(x: Value, sample: Value, floor: number): Value {
  const axes = [1, 2, 3];
  const mean = op.reduceMean(sample, { axes });
  const centred = op.sub(x, mean);
  const off = sample === x ? centred : op.sub(sample, mean);
  const variance = op.reduceMean(op.mul(off, off), { axes });
  return op.div(centred, op.sqrt(op.add(variance, x.builder.scalar(floor))));
}
