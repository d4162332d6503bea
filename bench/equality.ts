/** A comparison counts only between equal networks: as many parameters, in tensors of equal shapes. */
import { HilumError } from "../src/errors.ts";
import type { Contestant } from "./contestant.ts";

export type Networked = Pick<Contestant, "name" | "parameters">;

/**
 * Without vectors, by which editions of one network differ: Keras' InceptionV3 has norms without
 * scales, and a norm folded into its convolution has one vector instead of two.
 */
export function kernelsOnly({ name, parameters }: Networked): Networked {
  return {
    name,
    parameters: parameters.filter((dims) => dims.filter((dim) => dim > 1).length > 1),
  };
}

/** The number of parameters of all. Throws `state-mismatch` naming a peer whose network differs. */
export function parametersOfAll([first, ...others]: readonly Networked[]): number {
  const expected = shapesOf(first!);
  for (const other of others) {
    if (shapesOf(other) === expected) continue;
    throw new HilumError(
      "state-mismatch",
      `The network of ${other.name} is not the one of ${first!.name}: ${countOf(other)} parameters in ${other.parameters.length} tensors, against ${countOf(first!)} in ${first!.parameters.length}.`,
      { name: other.name, expected, received: shapesOf(other) },
    );
  }
  return countOf(first!);
}

/** Libraries order axes and layers differently, and axes of one say nothing: only the rest is compared. */
function shapesOf({ parameters }: Networked): string {
  return parameters
    .map((dims) =>
      dims
        .filter((dim) => dim > 1)
        .toSorted((a, b) => a - b)
        .join("x"),
    )
    .toSorted()
    .join(" ");
}

function countOf({ parameters }: Networked): number {
  return parameters.reduce((sum, dims) => sum + dims.reduce((a, b) => a * b, 1), 0);
}
