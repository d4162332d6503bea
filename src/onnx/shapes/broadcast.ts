/** Numpy broadcasting of shapes. Source: ONNX, "Broadcasting in ONNX", multidirectional. */
import type { Dimension, Shape } from "../graph.ts";

/** The broadcast shape, or undefined when two dimensions disagree. Unequal symbols give null. */
export function broadcastShapes(...shapes: readonly Shape[]): Shape | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let dim: Dimension = 1;
    for (const shape of shapes) {
      const offset = axis - (rank - shape.length);
      if (offset < 0) continue;
      const joined = broadcastDimension(dim, shape[offset]!);
      if (joined === undefined) return undefined;
      dim = joined;
    }
    result.push(dim);
  }
  return result;
}

function broadcastDimension(a: Dimension, b: Dimension): Dimension | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number" && typeof b === "number") return undefined;
  if (typeof a === "number") return a;
  return typeof b === "number" ? b : null;
}
