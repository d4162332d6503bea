/**
 * The one definition of resizing, as graph nodes. The dataset cache runs it over single films, and
 * model.onnx starts with it, so that both see the same pixels: the rounding makes them whole numbers,
 * which the cache keeps in bytes without loss.
 */
import { operators as op, string, type Value } from "../onnx/index.ts";

/** `squash` ignores the aspect ratio; `pad` keeps it, over a black square that the film is centred on. */
export type Fit = "squash" | "pad";

export interface ResizeSetting {
  /** Pixels of a side of the square result. */
  readonly size: number;
  readonly fit: Fit;
}

/** Part of every cache key: raised when the same film would come out with other pixels. */
export const RESIZE_VERSION = 1;

/**
 * Films `uint8 [N, H, W]` of any size as `float32 [N, 1, size, size]` in whole numbers 0..255:
 * linear interpolation between pixel centres, antialiased where it shrinks (the triangle widens with
 * the step). Source: ONNX `Resize`, `mode=linear`, `antialias=1`, `half_pixel`.
 */
export function resizeImages(images: Value, { size, fit }: ResizeSetting): Value {
  const films = fit === "pad" ? padToSquare(images) : images;
  return resizePlanes(op.cast(op.unsqueeze(films, [1]), "float32"), size);
}

/** The same of films that are `float32 [N, 1, H, W]` already. */
export function resizePlanes(planes: Value, size: number): Value {
  const resized = op.resizeToSizes(planes, [size, size], {
    mode: "linear",
    coordinates: "half_pixel",
    isAntialiased: true,
    axes: [2, 3],
  });
  return op.clip(op.round(resized), 0, 255);
}

/** Black around films `[N, H, W]` until both sides are the longer one; an odd rest goes right and below. */
function padToSquare(images: Value): Value {
  const { builder } = images;
  const sides = op.slice(op.shapeOf(images), [{ axis: 0, start: 1, end: 3 }]);
  const [height, width] = op.split(sides, [1, 1], 0) as [Value, Value];
  const missing = op.sub(op.max(height, width), sides);
  const before = op.div(missing, builder.integers([2]));
  const pads = op.concat([before, op.sub(missing, before)], 0);
  return builder.node("Pad", [images, pads, undefined, builder.integers([1, 2])], {
    mode: string("constant"),
  })[0]!;
}
