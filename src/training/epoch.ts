/** The end of an epoch: validation, the record of it, and the weights where they are the best so far. */
import { evaluatePredictions, isBetter, type Prediction } from "../evaluation/index.ts";
import { type EpochRecord, type Progress, saveBest } from "./checkpoint.ts";
import type { TrainContext } from "./context.ts";
import { refuseAfter, refuseLostState } from "./divergence.ts";
import { writeHistory } from "./history.ts";
import { learningRateAt } from "./rate.ts";
import type { Run } from "./run.ts";
import { PLATEAU_EPOCHS } from "./schedule.ts";
import { directionOf } from "./suitability.ts";
import { predictCached } from "./validate.ts";

/**
 * Validates, keeps the weights when they are the best so far, and closes the epoch's record.
 * Returns where training then stands, or undefined where the signal stopped validation.
 */
export async function finishEpoch(
  run: Run,
  progress: Progress,
  context: TrainContext,
): Promise<Progress | undefined> {
  const { settings, data, folder } = run;
  refuseLostState(run, progress);
  const begun = performance.now();
  const weights = run.weights();
  const predictions = await predictCached(run.validation, data.validation, weights, context);
  if (!predictions) return undefined;
  if (!predictions.every(({ probabilities }) => Array.from(probabilities).every(Number.isFinite)))
    refuseAfter(run, progress, "A probability on validation is not finite");
  const metrics = metricsOf(predictions, run, context);
  const value = metrics[settings.metric] ?? null;
  const isBest = isBestYet(value, progress, directionOf(settings.metric, context.metrics));
  if (isBest) saveBest(folder, new Map(Object.entries(weights)));
  const record = recordOf(run, progress, { metrics, seconds: (performance.now() - begun) / 1000 });
  const history = [...progress.history, record];
  await writeHistory(folder, history, settings.metric);
  context.onEvent?.({ kind: "epoch", record, metric: settings.metric, isBest });
  await context.onEpoch?.(record, predictions);
  const stale = isBest ? 0 : progress.stale + 1;
  const isDrop = settings.schedule === "plateau" && stale > 0 && stale % PLATEAU_EPOCHS === 0;
  return {
    epoch: record.epoch,
    step: 0,
    totalSteps: progress.totalSteps,
    lossSum: 0,
    seconds: 0,
    history,
    stale,
    drops: progress.drops + (isDrop ? 1 : 0),
    best: isBest ? { epoch: record.epoch, value } : progress.best,
  };
}

/** Without a metric that is defined nothing chooses: the last epoch then counts as the best. */
function isBestYet(
  value: number | null,
  { best }: Progress,
  direction: "higher" | "lower",
): boolean {
  if (best === null || best.value === null) return true;
  return value !== null && isBetter(value, best.value, direction);
}

function metricsOf(
  predictions: readonly Prediction[],
  { dataset }: Run,
  context: TrainContext,
): Record<string, number | null> {
  const { metrics } = evaluatePredictions(predictions, dataset.task, { rounds: 0 });
  const values = Object.entries(metrics).map(([key, { value }]) => [key, value] as const);
  const own = Object.entries(context.metrics ?? {}).map(
    ([key, compute]) => [key, finiteOrNull(compute(predictions))] as const,
  );
  return Object.fromEntries([...values, ...own]);
}

/** JSON knows no others: a resumed run has to find what it left. */
function finiteOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function recordOf(
  { settings, batch }: Run,
  progress: Progress,
  { metrics, seconds }: { metrics: EpochRecord["metrics"]; seconds: number },
): EpochRecord {
  const { step, lossSum } = progress;
  return {
    epoch: progress.epoch + 1,
    loss: lossSum / step,
    valLoss: metrics.logLoss ?? null,
    metrics,
    learningRate: learningRateAt(settings, progress, step),
    seconds: progress.seconds + seconds,
    imagesPerSecond: (step * batch * settings.microBatches) / progress.seconds,
    time: Date.now() / 1000,
  };
}
