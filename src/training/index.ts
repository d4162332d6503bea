/** Fit, schedules, checkpoints and resume. */
export type { EpochRecord } from "./checkpoint.ts";
export type { OnTrainEvent, TrainEvent } from "./events.ts";
export type { Settings, TrainOptions } from "./options.ts";
export { RUN_FILES, type RunResult, runFolder } from "./run-folder.ts";
export { type OwnMetric, type TrainContext, train } from "./train.ts";
