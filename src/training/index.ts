/** Training: options, the loop, checkpoints and resume, the run folder. */
export { type CalibrateOptions, type CalibrateResult, calibrateRun } from "./calibrate.ts";
export { CARD_FILES, writeCard } from "./card/card.ts";
export type { CardFacts } from "./card/facts.ts";
export { cardMarkdown } from "./card/text.ts";
export type { EpochRecord } from "./checkpoint.ts";
export {
  type ComparedSets,
  type SetsOnDataOptions,
  setsOnData,
  setsOnValidation,
} from "./compared-sets.ts";
export type { OwnMetric, TrainContext } from "./context.ts";
export type { OnTrainEvent, TrainEvent } from "./events.ts";
export { type FoldsResult, trainFolds } from "./folds.ts";
export type { Settings, TrainOptions } from "./options.ts";
export { findLearningRate, type RateRange, withFoundRate } from "./rate-range.ts";
export {
  type ModelReport,
  type ReportModelOptions,
  type ReportProgress,
  reportModel,
} from "./report-model.ts";
export {
  RUN_FILES,
  type RunConfig,
  type RunFolder,
  type RunResult,
  runFolder,
} from "./run-folder.ts";
export { finishedRun } from "./run-validation.ts";
export {
  diffRuns,
  filterRuns,
  listRuns,
  type RunRow,
  rowOf,
  runHistory,
  sortRuns,
} from "./runs.ts";
export { SCHEDULES, type Schedule } from "./schedule.ts";
export {
  type Budget,
  beginSweep,
  defaultSpaceFile,
  LATENCY,
  PRUNER_NAMES,
  readSpace,
  resumeSweep,
  SAMPLER_NAMES,
  type SweepEvent,
  type SweepResult,
  spaceOf,
  type TuneContext,
  type TuneOptions,
  tune,
} from "./sweep/index.ts";
export { MLFLOW_EXPERIMENT, type MlflowOptions, withMlflow } from "./tracking/index.ts";
export { train, trainEvents } from "./train.ts";
export { TRANSFER_DEFAULTS } from "./transfer/choose.ts";
export type { PretrainedBackbone } from "./transfer/network.ts";
export { PREPROCESSINGS } from "./transfer/preprocessing.ts";
