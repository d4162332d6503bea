/** Training that left the numbers. */
import { existsSync } from "node:fs";
import { HilumError } from "../errors.ts";
import type { Progress } from "./checkpoint.ts";
import { learningRateAt } from "./rate.ts";
import type { Run } from "./run.ts";
import { stepsOf } from "./sampling.ts";

export interface Divergence {
  /** What is no number any more, as the beginning of a sentence. */
  readonly symptom: string;
  /** Epoch and step in which it was seen, from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly learningRate: number;
}

/** Throws `training-diverged`, naming where and at which rate. */
export function refuseDivergence(
  { settings, folder }: Run,
  { symptom, epoch, step, learningRate }: Divergence,
): never {
  const clipping = settings.clipNorm === null ? "--clip-norm 1, " : "";
  const third = Number((settings.lr / 3).toPrecision(1));
  const saved = existsSync(folder.file("last"))
    ? `The last checkpoint is intact: ${folder.file("last")}`
    : "No checkpoint was written yet.";
  throw new HilumError(
    "training-diverged",
    `${symptom} in epoch ${epoch}, step ${step}, at a learning rate of ${learningRate.toPrecision(3)}. Try ${clipping}a third of the rate (--lr ${third}) or a longer --warmup, into another --out. ${saved}`,
    { run: folder.path, symptom, epoch, step, learningRate },
  );
}

/** Throws `training-diverged` unless loss and gradient of a step are finite. */
export function refuseLostStep(
  run: Run,
  { epoch, step }: Progress,
  {
    loss,
    gradientNorm,
    learningRate,
  }: { loss: number; gradientNorm: number; learningRate: number },
): void {
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return;
  const symptom = `The loss is ${loss} (gradient norm ${gradientNorm})`;
  refuseDivergence(run, { symptom, epoch: epoch + 1, step: step + 1, learningRate });
}

/** Throws `training-diverged` unless all weights and moments are finite: no others are saved. */
export function refuseLostState(run: Run, progress: Progress): void {
  for (const [name, { data }] of run.trainer.state())
    if (!isFiniteAll(data as Float32Array)) refuseAfter(run, progress, `${name} is not finite`);
}

/** Throws `training-diverged` for a symptom seen after the last step. */
export function refuseAfter(run: Run, progress: Progress, symptom: string): never {
  const { settings, data, batch } = run;
  const steps = stepsOf(data.train.count, batch * settings.microBatches);
  const isBetween = progress.step === 0;
  refuseDivergence(run, {
    symptom,
    epoch: isBetween ? progress.epoch : progress.epoch + 1,
    step: isBetween ? steps : progress.step,
    learningRate: learningRateAt(settings, progress, steps),
  });
}

function isFiniteAll(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
