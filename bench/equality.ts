/** A comparison counts only between equal networks: as many parameters, in tensors of equal shapes. */
import { HilumError } from "../src/errors.ts";
import type { Contestant } from "./contestant.ts";

/** The number of parameters of all. Throws `state-mismatch` naming a peer whose network differs. */
export function parametersOfAll([first, ...others]: readonly Contestant[]): number {
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
function shapesOf({ parameters }: Contestant): string {
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

function countOf({ parameters }: Contestant): number {
  return parameters.reduce((sum, dims) => sum + dims.reduce((a, b) => a * b, 1), 0);
}
