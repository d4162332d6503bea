/** The samplers by name: each a pure function of space, seed, number and the trials so far. */
import type { Params, Space } from "../space.ts";
import type { Observation } from "../trial.ts";
import { gridParams } from "./grid.ts";
import { randomParams } from "./random.ts";
import { sobolParams } from "./sobol.ts";
import { tpeParams } from "./tpe.ts";

export interface SamplerPoint {
  readonly seed: number;
  /** Of the trial, from 0. */
  readonly number: number;
}

/** Undefined where there is nothing left to try. */
type Sampler = (
  space: Space,
  trials: readonly Observation[],
  point: SamplerPoint,
) => Params | undefined;

export const SAMPLERS = {
  tpe: tpeParams,
  random: (space, _, { seed, number }) => randomParams(space, seed, number),
  sobol: (space, _, { seed, number }) => sobolParams(space, seed, number),
  grid: (space, _, { seed, number }) => gridParams(space, seed, number),
} as const satisfies Readonly<Record<string, Sampler>>;

export type SamplerName = keyof typeof SAMPLERS;
export const SAMPLER_NAMES = Object.keys(SAMPLERS) as SamplerName[];
