/** The end of an epoch: validation, the record of it, and the weights where they are the best so far. */
import { type EpochRecord, type Progress, saveBest } from "./checkpoint.ts";
import { isBestYet, metricsOf } from "./choice.ts";
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
  const metrics = metricsOf(predictions, run.dataset.task, context.metrics);
  const value = metrics[settings.metric] ?? null;
  const isBest = isBestYet(value, progress.best, directionOf(settings.metric, context.metrics));
  if (isBest) saveBest(folder, new Map(Object.entries(weights)));
  const record = recordOf(run, progress, { metrics, seconds: (performance.now() - begun) / 1000 });
  const history = [...progress.history, record];
  await writeHistory(folder, { head: run.head?.history, epochs: history }, settings.metric);
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
