/** Sweeps: what to choose from, samplers and pruners, the store, workers, results. */
export { type Budget, LATENCY, type Objective, type SweepConfig } from "./config.ts";
export { defaultSpace, defaultSpaceFile } from "./default-space.ts";
export { PRUNER_NAMES, type PrunerName } from "./pruners/index.ts";
export type { SweepResult, TrialResult } from "./result.ts";
export { SAMPLER_NAMES, type SamplerName } from "./samplers/index.ts";
export type { Space } from "./space.ts";
export { readSpace, type SpaceFile, spaceOf } from "./space-file.ts";
export {
  beginSweep,
  resumeSweep,
  type TuneContext,
  type TuneOptions,
  tune,
} from "./tune.ts";
export type { SweepEvent } from "./work.ts";
