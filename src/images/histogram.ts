/** Histograms of grey levels inside a graph, one per image. */
import { float32, operators as op, type Value } from "../onnx/index.ts";

const LEVELS = 256;
/** Of the side, left out at each edge: collimation and black borders end within it. */
const MARGIN = 1 / 8;
/** A grey level counts at most as so many equal shares, so that flat ground does not take all greys. */
const CLIP = 4;

/** The middle of images `[N, 1, S, S]`, three quarters of each side. */
export function heart(x: Value): Value {
  const size = Number(x.shape[2]);
  const margin = Math.floor(size * MARGIN);
  return op.slice(
    x,
    [2, 3].map((axis) => ({ axis, start: margin, end: size - margin })),
  );
}

/** Share of each grey level (rounded, 0 to 255) among an image's pixels, `[N, 256]`. */
export function greyShares(x: Value): Value {
  const { builder } = x;
  const pixels = Number(x.shape[2]) * Number(x.shape[3]);
  const levels = levelsOf(x, pixels);
  const ones = op.add(op.mul(op.cast(levels, "float32"), builder.scalar(0)), builder.scalar(1));
  const none = builder.constant(float32([1, LEVELS], new Float32Array(LEVELS)));
  // One row of zeros per image, however many there are.
  const empty = op.mul(op.reduceMean(ones, { axes: [1] }), none);
  const counts = op.scatterElements(empty, levels, ones, { axis: 1, reduction: "add" });
  return op.mul(counts, builder.scalar(1 / pixels));
}

/** The grey level with `share` of the pixels below it, `[N, 1, 1, 1]`. */
export function percentile(shares: Value, share: number): Value {
  const isBelow = op.less(op.cumSum(shares, 1), shares.builder.scalar(share));
  const level = op.reduceSum(op.cast(isBelow, "float32"), { axes: [1] });
  return op.reshape(level, [-1, 1, 1, 1]);
}

/**
 * Each pixel as the share of pixels that are no brighter, 0 to 1, with the contrast limited. Source:
 * Pizer et al. 1987, "Adaptive histogram equalization and its variations", over one whole image.
 */
export function equalized(x: Value, shares: Value): Value {
  const { builder } = x;
  const clipped = op.min(shares, builder.scalar(CLIP / LEVELS));
  const spare = op.sub(builder.scalar(1), op.reduceSum(clipped, { axes: [1] }));
  const limited = op.add(clipped, op.mul(spare, builder.scalar(1 / LEVELS)));
  const size = Number(x.shape[2]);
  const ranks = op.gatherElements(op.cumSum(limited, 1), levelsOf(x, size ** 2), 1);
  return op.reshape(ranks, [-1, 1, size, size]);
}

/** Whole grey levels, `[N, pixels]`. */
function levelsOf(x: Value, pixels: number): Value {
  return op.cast(op.reshape(op.clip(op.round(x), 0, LEVELS - 1), [-1, pixels]), "int64");
}
