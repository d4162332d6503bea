/** From grey levels to what networks take. */
import { operators as op, type Value } from "../onnx/index.ts";

/**
 * "range": -1 to 1. "standardize": each image to mean 0 and standard deviation 1, which takes an
 * exposure's brightness and contrast away.
 */
export const NORMALIZATIONS = ["standardize", "range"] as const;
export type Normalization = (typeof NORMALIZATIONS)[number];

/** Normalised images, from `[N, 1, S, S]` grey levels of 0 to 255. */
export function normalizeImages(x: Value, normalization: Normalization): Value {
  const { builder } = x;
  if (normalization === "range")
    return op.sub(op.mul(x, builder.scalar(1 / 127.5)), builder.scalar(1));
  const axes = [1, 2, 3];
  const centred = op.sub(x, op.reduceMean(x, { axes }));
  const variance = op.reduceMean(op.mul(centred, centred), { axes });
  // Half a grey level keeps flat images finite.
  return op.div(centred, op.sqrt(op.add(variance, builder.scalar(0.25))));
}
