/** Training: options, the loop, checkpoints and resume, the run folder. */
export { averagedRuns } from "./averaged-runs.ts";
export { type Bundle, type BundleOptions, exportBundle } from "./bundle.ts";
export { type CalibrateOptions, calibrateRun } from "./calibrate.ts";
export { CARD_FILES, writeCard } from "./card/card.ts";
export { cardMarkdown } from "./card/text.ts";
export type { EpochRecord } from "./checkpoint.ts";
export {
  type Cluster,
  type ClusterContext,
  type ClusterOptions,
  clusterFilms,
  type FilmClusters,
} from "./clusters/cluster-films.ts";
export { clusterManifest } from "./clusters/manifest.ts";
export { type ComparedSets, setsOnData, setsOnValidation } from "./compared-sets.ts";
export type { OwnMetric, TrainContext } from "./context.ts";
export type { OnTrainEvent, TrainEvent } from "./events.ts";
export { foldersBelow } from "./folders-below.ts";
export { type FoldsResult, trainFolds } from "./folds.ts";
export type { Settings, TrainOptions } from "./options.ts";
export { findLearningRate, type RateRange, withFoundRate } from "./rate-range.ts";
export { validationBy } from "./read-validation.ts";
export { type ModelReport, type ReportModelOptions, reportModel } from "./report-model.ts";
export { RUN_FILES, type RunFolder, type RunResult, runFolder } from "./run-folder.ts";
export { finishedRun } from "./run-validation.ts";
export { diffRuns, filterRuns, listRuns, type RunRow, rowOf, sortRuns } from "./runs.ts";
export { SCHEDULES } from "./schedule.ts";
export {
  type Budget,
  beginSweep,
  defaultSpaceFile,
  LATENCY,
  PRUNER_NAMES,
  resumeSweep,
  SAMPLER_NAMES,
  SWEEP_FILES,
  type SweepEvent,
  type SweepResult,
  spaceOf,
  type TuneOptions,
  tune,
} from "./sweep/index.ts";
export {
  MLFLOW_EXPERIMENT,
  type MlflowOptions,
  withMlflow,
  withMlflowSweep,
} from "./tracking/index.ts";
export { train, trainEvents } from "./train.ts";
export { TRANSFER_DEFAULTS } from "./transfer/choose.ts";
export type { PretrainedBackbone } from "./transfer/network.ts";
export { PREPROCESSINGS } from "./transfer/preprocessing.ts";
