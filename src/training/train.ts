/**
 * Training: a loop over epochs and steps around one progress value. Whatever the next step depends
 * on is in that value, in the state tensors or in the settings, so that a resumed run repeats the
 * interrupted one bit for bit.
 */
import { resolve } from "node:path";
import type { Loss } from "../autodiff/index.ts";
import { type Dataset, openDataset } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import {
  evaluatePredictions,
  isBetter,
  type Prediction,
  selectionDirection,
} from "../evaluation/index.ts";
import { lockFolder } from "../files.node.ts";
import { type Network, networkEntry, type Recipe } from "../models/index.ts";
import { hashPath } from "../random.ts";
import { type EpochRecord, type Progress, saveBest, saveLast } from "./checkpoint.ts";
import type { DataOptions } from "./data.ts";
import type { OnTrainEvent } from "./events.ts";
import { finishRun, writeHistory } from "./export.ts";
import { type Settings, settingsOf, type TrainOptions } from "./options.ts";
import { openRun, type Run } from "./run.ts";
import { type RunResult, refuseChanges, refuseExisting, runFolder } from "./run-folder.ts";
import { epochOrder } from "./sampling.ts";
import { scheduleFactor } from "./schedule.ts";
import { predictCached } from "./validate.ts";

/** A metric of the user's own: recorded with each epoch, and selectable by its name. */
export type OwnMetric = (predictions: readonly Prediction[]) => number | null;

export interface TrainContext extends Omit<DataOptions, "onProgress"> {
  readonly out: string;
  readonly isResumed?: boolean | undefined;
  readonly onEvent?: OnTrainEvent | undefined;
  /** Takes the place of the named model; `recipe` says what it wants where options are silent. */
  readonly network?: Network | undefined;
  readonly loss?: Loss | undefined;
  readonly metrics?: Readonly<Record<string, OwnMetric>> | undefined;
  readonly onEpoch?: ((record: EpochRecord) => void) | undefined;
  /** Writes a sheet of augmented samples into the run folder. */
  readonly hasPreview?: boolean | undefined;
}

const OWN_NETWORK_RECIPE: Recipe = {
  size: 96,
  batch: 32,
  epochs: 10,
  learningRate: 1e-3,
  weightDecay: 0.01,
  optimizer: "adamw",
  augmentation: "light",
};

/**
 * Trains a classifier on a data set (or the folder of one) and returns what came of it. Throws
 * `run-exists`, `settings-changed`, `data-changed`, `folder-locked`, `data-leak`,
 * `training-diverged`, `disk-full`, and `interrupted` once the signal aborts.
 */
export async function train(
  data: Dataset | string,
  options: TrainOptions,
  context: TrainContext,
): Promise<RunResult> {
  const recipe = context.network ? OWN_NETWORK_RECIPE : networkEntry(options.model ?? "cnn").recipe;
  const name = context.network ? "own" : (options.model ?? "cnn");
  const folder = runFolder(resolve(context.out));
  const dataset = typeof data === "string" ? await openDataset(data, dataOptions(options)) : data;
  const isBinary = dataset.task.kind === "classes" && dataset.task.positive !== null;
  const settings = settingsOf(
    { ...options, model: name },
    recipe,
    isBinary ? "auroc" : "aurocMacro",
  );
  if (folder.state() !== "absent") {
    if (!context.isResumed) refuseExisting(folder);
    refuseChanges(folder, settings);
    if (folder.state() === "finished") return folder.result();
  }
  const run = await openRun(dataset, settings, folder, context);
  const unlock = lockFolder(folder.path);
  try {
    return await runEpochs(run, context);
  } finally {
    unlock();
    await run.close();
  }
}

function dataOptions({ patientPattern, labelPattern, positive }: TrainOptions) {
  return {
    patientPattern: patientPattern ?? undefined,
    labelPattern: labelPattern ?? undefined,
    positive: positive ?? undefined,
  };
}

async function runEpochs(run: Run, context: TrainContext): Promise<RunResult> {
  const { settings, folder } = run;
  let { progress } = run;
  while (progress.epoch < settings.epochs && !isStopped(settings, progress)) {
    progress = await runSteps(run, progress, context);
    progress = await finishEpoch(run, progress, context);
    saveLast(folder, run.trainer.state(), progress);
    context.onEvent?.({ kind: "checkpoint", epoch: progress.epoch, step: 0 });
  }
  const result = await finishRun(run, progress);
  context.onEvent?.({ kind: "finished", result });
  return result;
}

function isStopped({ patience }: Settings, { stale }: Progress): boolean {
  return patience > 0 && stale >= patience;
}

/** A checkpoint is due after so long; the clock decides when it is written, never what is in it. */
const CHECKPOINT_MS = 30_000;

/** The steps that the epoch still lacks. */
async function runSteps(run: Run, start: Progress, context: TrainContext): Promise<Progress> {
  const { settings, data, batches, batch } = run;
  const perStep = batch * settings.microBatches;
  const order = epochOrder(data.train.count, {
    seed: settings.seed,
    epoch: start.epoch,
    step: perStep,
    classes: settings.balance === "sampling" ? run.classes : undefined,
  });
  const steps = order.length / perStep;
  let progress = start;
  let saved = performance.now();
  const begun = performance.now();
  while (progress.step < steps) {
    const { epoch, step } = progress;
    const feeds = Array.from({ length: settings.microBatches }, (_, slot) => {
      const from = step * perStep + slot * batch;
      return batches.fill(slot, order.subarray(from, from + batch), epoch, step);
    });
    const before = performance.now();
    const rate = learningRateAt(settings, progress, steps);
    const output = await run.trainer.step(feeds, {
      learningRate: rate,
      step: progress.totalSteps + 1,
      averageDecay: averageDecayAt(settings, progress.totalSteps),
      noiseSeed: hashPath(settings.seed, "noise", epoch, step),
    });
    const loss = Number(output.loss!.data[0]);
    checkFinite(loss, Number(output.gradientNorm!.data[0]), { run, progress, rate });
    progress = {
      ...progress,
      step: step + 1,
      totalSteps: progress.totalSteps + 1,
      lossSum: progress.lossSum + loss,
      seconds: progress.seconds + (performance.now() - before) / 1000,
    };
    reportStep(run, progress, { steps, perStep, begun, first: start.step }, context);
    if (context.signal?.aborted) interrupt(run, progress);
    if (performance.now() - saved > CHECKPOINT_MS) {
      saveLast(run.folder, run.trainer.state(), progress);
      context.onEvent?.({ kind: "checkpoint", epoch: epoch + 1, step: step + 1 });
      saved = performance.now();
    }
  }
  return progress;
}

function learningRateAt(settings: Settings, progress: Progress, steps: number): number {
  const { epochs, warmup, schedule, lr } = settings;
  const epoch = progress.epoch + progress.step / steps;
  return lr * scheduleFactor(schedule, { epoch, epochs, warmup, drops: progress.drops });
}

/** The average follows closely at first. Source: TensorFlow, ExponentialMovingAverage (num_updates). */
function averageDecayAt({ averageDecay }: Settings, steps: number): number {
  return Math.min(averageDecay, (1 + steps) / (10 + steps));
}

function checkFinite(
  loss: number,
  norm: number,
  { run, progress, rate }: { run: Run; progress: Progress; rate: number },
): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  throw new HilumError(
    "training-diverged",
    `The loss is ${loss} (gradient norm ${norm}) in epoch ${progress.epoch + 1}, step ${progress.step + 1}, at learning rate ${rate.toPrecision(3)}. Try a third of the learning rate (--lr) or a longer --warmup. The last checkpoint is intact: ${run.folder.path}`,
    { epoch: progress.epoch + 1, step: progress.step + 1, learningRate: rate, loss: String(loss) },
  );
}

function reportStep(
  run: Run,
  progress: Progress,
  {
    steps,
    perStep,
    begun,
    first,
  }: { steps: number; perStep: number; begun: number; first: number },
  { onEvent }: TrainContext,
): void {
  if (!onEvent) return;
  const seconds = (performance.now() - begun) / 1000;
  const done = progress.step - first;
  const left = (run.settings.epochs - progress.epoch) * steps - progress.step;
  onEvent({
    kind: "step",
    epoch: progress.epoch + 1,
    step: progress.step,
    steps,
    loss: progress.lossSum / progress.step,
    imagesPerSecond: (done * perStep) / seconds,
    secondsLeft: (left * seconds) / done,
  });
}

function interrupt(run: Run, progress: Progress): never {
  saveLast(run.folder, run.trainer.state(), progress);
  throw new HilumError(
    "interrupted",
    `Stopped in epoch ${progress.epoch + 1} after step ${progress.step}; everything is saved. Go on with the same command and --resume.`,
    { run: run.folder.path, epoch: progress.epoch + 1, step: progress.step },
  );
}

/** Validates, keeps the weights when they are the best so far, and closes the epoch's record. */
async function finishEpoch(run: Run, progress: Progress, context: TrainContext): Promise<Progress> {
  const { settings, data } = run;
  const begun = performance.now();
  const weights = run.weights();
  const predictions = await predictCached(run.validation, data.validation, weights);
  const { metrics } = evaluatePredictions(predictions, run.dataset.task);
  const own = Object.entries(context.metrics ?? {}).map(([name, metric]) => [
    name,
    metric(predictions),
  ]);
  const values: Record<string, number | null> = {
    ...Object.fromEntries(Object.entries(metrics).map(([key, { value }]) => [key, value])),
    ...Object.fromEntries(own),
  };
  const steps = progress.step;
  const epoch = progress.epoch + 1;
  const value = values[settings.metric] ?? Number.NaN;
  const direction = selectionDirection(settings.metric);
  const isBest = isBetter(value, progress.best?.value ?? null, direction) || progress.best === null;
  const record: EpochRecord = {
    epoch,
    loss: progress.lossSum / steps,
    valLoss: values.logLoss ?? null,
    metrics: values,
    learningRate: learningRateAt(settings, progress, steps),
    seconds: progress.seconds + (performance.now() - begun) / 1000,
    imagesPerSecond: (steps * run.batch * settings.microBatches) / progress.seconds,
    time: Date.now() / 1000,
  };
  if (isBest) saveBest(run.folder, new Map(Object.entries(weights)));
  const stale = isBest ? 0 : progress.stale + 1;
  const isPlateau = settings.schedule === "plateau" && stale > 0 && stale % PLATEAU_EPOCHS === 0;
  const history = [...progress.history, record];
  await writeHistory(run.folder, history, settings.metric);
  context.onEvent?.({ kind: "epoch", record, isBest });
  context.onEpoch?.(record);
  return {
    ...progress,
    epoch,
    step: 0,
    lossSum: 0,
    seconds: 0,
    history,
    stale,
    drops: progress.drops + (isPlateau ? 1 : 0),
    best: isBest ? { epoch, value } : progress.best,
  };
}

/** Epochs without improvement after which the plateau schedule lowers the learning rate. */
const PLATEAU_EPOCHS = 3;
