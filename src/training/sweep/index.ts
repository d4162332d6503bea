/** Sweeps: what to choose from, samplers and pruners, the store, workers, results. */
export { type Budget, LATENCY } from "./config.ts";
export { defaultSpaceFile } from "./default-space.ts";
export { PRUNER_NAMES } from "./pruners/index.ts";
export type { SweepResult } from "./result.ts";
export { SAMPLER_NAMES } from "./samplers/index.ts";
export { spaceOf } from "./space-file.ts";
export { SWEEP_FILES } from "./sweep-folder.ts";
export { beginSweep, resumeSweep, type TuneOptions, tune } from "./tune.ts";
export type { SweepEvent } from "./work.ts";
