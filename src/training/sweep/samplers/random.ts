import { randomStream } from "../../../random.ts";
import { type Params, paramsBy, type Space, valueOfShare } from "../space.ts";

/** A configuration that depends on seed and number alone. */
export function randomParams(space: Space, seed: number, number: number): Params {
  return paramsBy(space, (dimension) =>
    valueOfShare(dimension, randomStream(seed, "sweep", number, dimension.name).uniform()),
  );
}
