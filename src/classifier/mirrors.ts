/**
 * A film and its mirror read as one: both go through the network in one batch, and what it says of
 * them is averaged in the graph. It takes twice the time of the network.
 */
import { type Dimension, int, operators as op, type Value } from "../onnx/index.ts";

/** Begins the names of the nodes that average. */
export const AVERAGING = "averaging";

/** Images `[N, 1, S, S]`, and then their mirrors: `[2N, 1, S, S]`. */
export function withMirrors(images: Value): Value {
  const { builder, type, shape } = images;
  return builder.scope("mirror", () => {
    // Inference knows no symbol for twice another.
    const results = [{ type, shape: [doubled(shape[0]!), ...shape.slice(1)] }];
    const options = { results };
    return builder.node("Concat", [images, mirrored(images)], { axis: int(0) }, options)[0]!;
  });
}

/** Means of films' values and those of their mirrors: of `[2N, C]`, or of maps `[2N, C, h, w]`. */
export function averageMirrors(values: Value): Value {
  const { builder, type, shape } = values;
  return builder.scope(AVERAGING, () => {
    const half = { type, shape: [halved(shape[0]!), ...shape.slice(1)] };
    const [films, others] = builder.node(
      "Split",
      [values],
      { axis: int(0), num_outputs: int(2) },
      { outputs: 2, results: [half, half] },
    );
    const facing = shape.length === 4 ? mirrored(others!) : others!;
    return op.mul(op.add(films!, facing), builder.scalar(0.5));
  });
}

/** Left and right changed, of `[N, C, h, w]`. */
function mirrored(images: Value): Value {
  return op.slice(images, [{ axis: 3, start: -1, end: -(2 ** 31), step: -1 }]);
}

function doubled(dim: Dimension): Dimension {
  if (dim === null) return null;
  return typeof dim === "number" ? 2 * dim : `2${dim}`;
}

function halved(dim: Dimension): Dimension {
  if (typeof dim === "number") return dim / 2;
  return dim?.startsWith("2") ? dim.slice(1) : null;
}
