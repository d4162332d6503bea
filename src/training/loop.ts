/**
 * The loop over epochs and steps around one progress value. Whatever the next step depends on is in
 * that value, in the state tensors or in the settings, so that a resumed run repeats the
 * interrupted one bit for bit.
 */
import { HilumError } from "../errors.ts";
import { type Progress, saveLast } from "./checkpoint.ts";
import type { TrainContext } from "./context.ts";
import { refuseLostState, refuseLostStep } from "./divergence.ts";
import { finishEpoch } from "./epoch.ts";
import { finishRun } from "./export.ts";
import type { Settings } from "./options.ts";
import { averageDecayAt, learningRateAt } from "./rate.ts";
import type { Run } from "./run.ts";
import type { RunResult } from "./run-folder.ts";
import { epochOrder, stepsOf } from "./sampling.ts";

/** Trains from where the run stands to its end. */
export async function trainToEnd(run: Run, context: TrainContext): Promise<RunResult> {
  let { progress } = run;
  const save = async (now: Progress) => {
    refuseLostState(run, now);
    saveLast(run.folder, { state: run.trainer.state(), progress: now });
    const { epoch, step } = now;
    context.onEvent?.({ kind: "checkpoint", epoch: step === 0 ? epoch : epoch + 1, step });
    await run.collectGarbage();
  };
  while (!isOver(run.settings, progress)) {
    progress = await runSteps(run, progress, { ...context, save });
    const closed = await finishEpoch(run, progress, context);
    progress = closed ?? progress;
    await save(progress);
    const isStopped = context.signal?.aborted && !isOver(run.settings, progress);
    if (isStopped || !closed) refuseToGoOn(run, progress);
  }
  const result = await finishRun(run, progress);
  context.onEvent?.({ kind: "finished", result });
  return result;
}

function isOver({ epochs, patience }: Settings, { epoch, stale }: Progress): boolean {
  return epoch >= epochs || (patience > 0 && stale >= patience);
}

/** A checkpoint is due after so long; the clock decides when it is written, never what is in it. */
const CHECKPOINT_MS = 30_000;

/** The steps that the epoch still lacks. */
async function runSteps(
  run: Run,
  start: Progress,
  context: TrainContext & { save(progress: Progress): Promise<void> },
): Promise<Progress> {
  const { settings, data } = run;
  const { checkpointMs = CHECKPOINT_MS } = context;
  const perStep = run.batch * settings.microBatches;
  const order = epochOrder(data.train.count, {
    seed: settings.seed,
    epoch: start.epoch,
    step: perStep,
    classes: settings.balance === "sampling" ? run.classes : undefined,
  });
  const steps = order.length / perStep;
  context.onEvent?.({ kind: "epochStarted", epoch: start.epoch + 1, steps });
  let progress = start;
  const begun = performance.now();
  let saved = begun;
  while (progress.step < steps) {
    progress = await runStep(run, progress, order);
    reportStep(run, { progress, steps, begun, first: start.step }, context);
    const isStopped = context.signal?.aborted ?? false;
    if (isStopped || performance.now() - saved >= checkpointMs) {
      await context.save(progress);
      saved = performance.now();
      if (isStopped) refuseToGoOn(run, progress);
    }
  }
  return progress;
}

async function runStep(run: Run, progress: Progress, order: Uint32Array): Promise<Progress> {
  const { settings, batch, batches } = run;
  const { epoch, step, totalSteps } = progress;
  const perStep = batch * settings.microBatches;
  const feeds = Array.from({ length: settings.microBatches }, (_, slot) => {
    const from = step * perStep + slot * batch;
    return batches.fill(slot, order.subarray(from, from + batch), epoch, step);
  });
  const begun = performance.now();
  const learningRate = learningRateAt(settings, progress, order.length / perStep);
  const output = await run.trainer.step(feeds, {
    learningRate,
    step: totalSteps + 1,
    averageDecay: averageDecayAt(settings, totalSteps),
  });
  const loss = Number(output.loss!.data[0]);
  const gradientNorm = Number(output.gradientNorm!.data[0]);
  refuseLostStep(run, progress, { loss, gradientNorm, learningRate });
  return {
    ...progress,
    step: step + 1,
    totalSteps: totalSteps + 1,
    lossSum: progress.lossSum + loss,
    seconds: progress.seconds + (performance.now() - begun) / 1000,
  };
}

interface StepReport {
  readonly progress: Progress;
  readonly steps: number;
  /** When this process began the epoch, and with which step. */
  readonly begun: number;
  readonly first: number;
}

function reportStep(
  run: Run,
  { progress, steps, begun, first }: StepReport,
  { onEvent }: TrainContext,
): void {
  if (!onEvent) return;
  const { settings, batch } = run;
  const { epoch, step, lossSum } = progress;
  const { metric } = settings;
  const secondsPerStep = (performance.now() - begun) / 1000 / (step - first);
  const epochsLeft = settings.epochs - epoch;
  onEvent({
    kind: "step",
    epoch: epoch + 1,
    step,
    steps,
    loss: lossSum / step,
    metric: { name: metric, value: progress.history.at(-1)?.metrics[metric] ?? null },
    imagesPerSecond: (batch * settings.microBatches) / secondsPerStep,
    secondsLeft:
      (epochsLeft * steps - step) * secondsPerStep + epochsLeft * validationSeconds(run, progress),
  });
}

/** How long the last validation took; nothing is known before the first. */
function validationSeconds({ data, batch, settings }: Run, { history }: Progress): number {
  const last = history.at(-1);
  if (!last) return 0;
  const perStep = batch * settings.microBatches;
  const images = stepsOf(data.train.count, perStep) * perStep;
  return Math.max(0, last.seconds - images / last.imagesPerSecond);
}

/** Throws `interrupted` once everything is saved. */
function refuseToGoOn({ folder }: Run, { epoch, step }: Progress): never {
  const where = step === 0 ? `after epoch ${epoch}` : `in epoch ${epoch + 1} after step ${step}`;
  throw new HilumError(
    "interrupted",
    `Stopped ${where}; everything is saved. Go on with the same command and --resume.`,
    { run: folder.path, epoch: step === 0 ? epoch : epoch + 1, step },
  );
}
