/**
 * The first stage: a new head on features of the frozen backbone, to its own early stop. An epoch
 * over cached features takes a fraction of a second, so nothing of it is saved before the end, and
 * a run that is killed meanwhile repeats it bit for bit.
 */
import { averageName, type Loss, trainingGraph } from "../../autodiff/index.ts";
import { HilumError } from "../../errors.ts";
import type { Prediction } from "../../evaluation/index.ts";
import { float32, graphBuilder, operators as op, type Tensor } from "../../onnx/index.ts";
import type { EpochRecord } from "../checkpoint.ts";
import { isBestYet, metricsOf } from "../choice.ts";
import type { TrainContext } from "../context.ts";
import { labelsForLoss } from "../labels.ts";
import { optimizerOf } from "../optimizer-of.ts";
import type { Settings } from "../options.ts";
import { averageDecayAt } from "../rate.ts";
import { PLATEAU_EPOCHS, scheduleFactor } from "../schedule.ts";
import { openStepsTrainer, type StepsTrainer } from "../steps-trainer.ts";
import { directionOf } from "../suitability.ts";
import { batchesOf, type EpochBatches } from "./head-batches.ts";
import type { HeadRecord } from "./head-record.ts";
import type { Scale } from "./head-rows.ts";
import type { HeadSets } from "./head-sets.ts";
import { HEAD, headOf } from "./network.ts";

/** Epochs without improvement after which the stage ends. */
const PATIENCE = 10;
/** More do not pay: with two an epoch takes as long, and twice the processor. */
const THREADS = 1;
/** Rows that are fed together, as the steps of one run. */
const ROWS_AT_ONCE = 1024;
/** What all steps of a run gather from. */
const ROWS = "rows";

export interface HeadStage {
  readonly settings: Settings;
  readonly sets: HeadSets;
  readonly loss: Loss;
  readonly context: Pick<TrainContext, "metrics" | "signal" | "onEvent">;
  /** Awaited after each epoch; returns whether the stage ends there. */
  readonly onEpoch?:
    | ((epoch: HeadEpoch, predictions: readonly Prediction[]) => Promise<boolean>)
    | undefined;
}

export interface HeadEpoch {
  readonly record: EpochRecord;
  readonly isBest: boolean;
}

/**
 * The head of the best epoch, a function of settings and features alone. Throws `interrupted` and
 * `training-diverged`.
 */
export async function trainHead(stage: HeadStage): Promise<HeadRecord> {
  const { settings, sets, context } = stage;
  const labels = labelsForLoss(sets.samples, sets.task, {
    isBalanced: settings.balance === "weights",
  });
  const batch = Math.min(settings.headBatch, sets.rows.count);
  const shape = { batch, width: sets.rows.width, outputs: labels.width };
  const trainer = await openStepsTrainer(trainingOf(stage, shape), {
    threads: THREADS,
    shared: [ROWS],
  });
  const atOnce = Math.max(1, Math.floor(ROWS_AT_ONCE / batch));
  const next = batchesOf(sets, settings, { batch, labels, atOnce });
  try {
    const history: EpochRecord[] = [];
    let best: (Pick<HeadRecord, "tensors" | "value"> & { readonly epoch: number }) | null = null;
    let drops = 0;
    for (let epoch = 0; epoch < settings.headEpochs; epoch++) {
      const stale = best ? epoch - best.epoch : 0;
      if (stale >= PATIENCE) break;
      if (settings.headSchedule === "plateau" && stale > 0 && stale % PLATEAU_EPOCHS === 0) drops++;
      if (context.signal?.aborted) refuseToGoOn();
      const begun = performance.now();
      const { loss, steps, learningRate } = await trainEpoch(trainer, next(epoch), {
        settings,
        epoch,
        drops,
        atOnce,
      });
      const trained = performance.now();
      const head = unscaled(headIn(trainer.state()), sets.scale);
      const predictions = await sets.predict(head);
      const metrics = metricsOf(predictions, sets.task, context.metrics);
      const value = metrics[settings.metric] ?? null;
      const isBest = isBestYet(value, best, directionOf(settings.metric, context.metrics));
      if (isBest) best = { value, epoch: epoch + 1, tensors: head };
      const record: EpochRecord = {
        epoch: epoch + 1,
        loss,
        valLoss: metrics.logLoss ?? null,
        metrics,
        learningRate,
        seconds: (performance.now() - begun) / 1000,
        imagesPerSecond: (1000 * steps * batch) / (trained - begun),
        time: Date.now() / 1000,
      };
      history.push(record);
      context.onEvent?.({ kind: "headEpoch", record, epochs: settings.headEpochs, isBest });
      if (await stage.onEpoch?.({ record, isBest }, predictions)) break;
    }
    const { tensors, epoch: bestEpoch, value } = best!;
    return { tensors, bestEpoch, value, history };
  } finally {
    await trainer.close();
  }
}

/** The weights as validation takes them: averages where they are kept. */
function headIn(state: ReadonlyMap<string, Tensor>): [Tensor, Tensor] {
  const [weight, bias] = HEAD.map((name) => state.get(averageName(name)) ?? state.get(name)!);
  return [weight!, bias!];
}

interface EpochPlace {
  readonly settings: Settings;
  readonly epoch: number;
  readonly drops: number;
  readonly atOnce: number;
}

async function trainEpoch(
  trainer: StepsTrainer,
  { steps, feedsOf }: EpochBatches,
  { settings, epoch, drops, atOnce }: EpochPlace,
) {
  const { headLr, headSchedule, headEpochs, headAverageDecay } = settings;
  const before = epoch * steps;
  const rateAt = (done: number) =>
    headLr *
    scheduleFactor(headSchedule, { epoch: done / steps, epochs: headEpochs, warmup: 0, drops });
  let sum = 0;
  for (let from = 0; from < steps; from += atOnce) {
    const count = Math.min(atOnce, steps - from);
    const each = (value: (done: number) => number) =>
      float32(
        [count],
        Float32Array.from({ length: count }, (_, step) => value(before + from + step)),
      );
    const losses = await trainer.advance({
      ...feedsOf({ from, count }),
      learningRate: each(rateAt),
      step: each((done) => done + 1),
      ...(headAverageDecay > 0
        ? { averageDecay: each((done) => averageDecayAt({ averageDecay: headAverageDecay }, done)) }
        : {}),
    });
    for (const loss of losses) sum += loss;
    if (!Number.isFinite(sum)) refuseDivergence(settings, epoch);
  }
  return { loss: sum / steps, steps, learningRate: rateAt(before + steps - 1) };
}

/** The head that takes the features as they are. */
function unscaled(
  [weight, bias]: readonly [Tensor, Tensor],
  { mean, deviation }: Scale,
): ReadonlyMap<string, Tensor> {
  const width = mean.length;
  const slopes = Float32Array.from(
    weight.data as Float32Array,
    (value, index) => value / deviation[index % width]!,
  );
  const offsets = Float32Array.from(bias.data as Float32Array, (value, output) =>
    mean.reduce((sum, centre, column) => sum - centre * slopes[output * width + column]!, value),
  );
  return new Map([
    [HEAD[0], float32(weight.dims, slopes)],
    [HEAD[1], float32(bias.dims, offsets)],
  ]);
}

interface Shape {
  readonly batch: number;
  readonly width: number;
  readonly outputs: number;
}

/**
 * Inputs `rows` `[R, C]` of features, standardised, `at` `[B]`, which of them a step takes, `kept` `[B, C]`
 * where columns are dropped, `targets` and `weights`.
 */
function trainingOf({ settings, loss }: HeadStage, { batch, width, outputs }: Shape) {
  const builder = graphBuilder();
  const rows = builder.input(ROWS, "float32", ["rows", width]);
  const x = op.gather(rows, builder.input("at", "int32", [batch]));
  const kept =
    settings.headDropout === 0 ? x : op.mul(x, builder.input("kept", "float32", [batch, width]));
  const logits = headOf(kept, outputs, settings.seed);
  const targets = builder.input("targets", "float32", [batch, outputs]);
  const weights = builder.input("weights", "float32", [batch, outputs]);
  builder.output(loss({ logits, targets, weights }), "loss");
  return trainingGraph(builder.build("head"), {
    optimizer: optimizerOf({
      optimizer: settings.headOptimizer,
      momentum: settings.headMomentum,
      weightDecay: settings.headWeightDecay,
    }),
    averages: settings.headAverageDecay > 0,
  });
}

function refuseToGoOn(): never {
  throw new HilumError(
    "interrupted",
    "Stopped while the head was trained, which begins anew: its features are kept. Go on with the same command and --resume.",
  );
}

function refuseDivergence({ headLr }: Settings, epoch: number): never {
  throw new HilumError(
    "training-diverged",
    `The loss of the head is no number in its epoch ${epoch + 1}, at a learning rate of ${headLr}. Try a third of it: --head-lr ${Number((headLr / 3).toPrecision(1))}, into another --out.`,
    { epoch: epoch + 1, learningRate: headLr },
  );
}
