/**
 * The first stage: a new head on features of the frozen backbone, to its own early stop. An epoch
 * over cached features takes a fraction of a second, so nothing of it is saved before the end, and
 * a run that is killed meanwhile repeats it bit for bit.
 */
import { averageName, type Loss, trainingGraph } from "../../autodiff/index.ts";
import { probabilitiesOf } from "../../classifier/index.ts";
import type { Sample, Task } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import type { Prediction } from "../../evaluation/index.ts";
import { openSession, type Session } from "../../onnx/index.node.ts";
import {
  float32,
  type Graph,
  graphBuilder,
  operators as op,
  type Tensor,
  type Value,
} from "../../onnx/index.ts";
import type { EpochRecord } from "../checkpoint.ts";
import { isBestYet, metricsOf } from "../choice.ts";
import { weightsAsInputs } from "../compose.ts";
import type { TrainContext } from "../context.ts";
import { type Labels, labelsForLoss } from "../labels.ts";
import { optimizerOf } from "../optimizer-of.ts";
import type { Settings } from "../options.ts";
import { averageDecayAt } from "../rate.ts";
import { PLATEAU_EPOCHS, scheduleFactor } from "../schedule.ts";
import { directionOf } from "../suitability.ts";
import { openTrainer, type Trainer } from "../trainer.ts";
import type { Features } from "./features.ts";
import { batchesOf, type EpochBatches } from "./head-batches.ts";
import type { HeadRecord } from "./head-record.ts";
import { HEAD, headOf } from "./network.ts";

/** Epochs without improvement after which the stage ends. */
const PATIENCE = 10;
/** More do not pay: with two an epoch takes as long, and twice the processor. */
const THREADS = 1;

export interface FeatureSet {
  readonly features: Features;
  readonly samples: readonly Sample[];
}

export interface HeadStage {
  readonly settings: Settings;
  readonly task: Task;
  readonly train: FeatureSet;
  readonly validation: FeatureSet;
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
  const { settings, task, train, validation, context } = stage;
  const labels = labelsForLoss(train.samples, task, {
    isBalanced: settings.balance === "weights",
  });
  const scale = scaleOf(train.features);
  const batch = Math.min(settings.headBatch, train.features.count);
  const trainer = await openTrainer(trainingOf(stage, { scale, batch, labels }), {
    threads: THREADS,
  });
  const validator = await openSession(validationOf(stage, scale, labels.width), {
    threads: THREADS,
  });
  const next = batchesOf(stage, { batch, labels });
  try {
    const history: EpochRecord[] = [];
    let best: { value: number | null; epoch: number; tensors: Map<string, Tensor> } | null = null;
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
      });
      const trained = performance.now();
      const head = headIn(trainer.state());
      const predictions = await predict(validator, validation, head);
      const metrics = metricsOf(predictions, task, context.metrics);
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
    return { tensors: unscaled(tensors, scale), bestEpoch, value, history };
  } finally {
    await trainer.close();
    await validator.close();
  }
}

/** The weights as validation takes them: averages where they are kept. */
function headIn(state: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    HEAD.map((name) => [name, copyOf(state.get(averageName(name)) ?? state.get(name)!)]),
  );
}

interface EpochPlace {
  readonly settings: Settings;
  readonly epoch: number;
  readonly drops: number;
}

async function trainEpoch(
  trainer: Trainer,
  { steps, feedsOf }: EpochBatches,
  { settings, epoch, drops }: EpochPlace,
) {
  const { headLr, headSchedule, headEpochs, headAverageDecay } = settings;
  let sum = 0;
  let learningRate = headLr;
  for (let step = 0; step < steps; step++) {
    const done = epoch * steps + step;
    const point = { epoch: done / steps, epochs: headEpochs, warmup: 0, drops };
    learningRate = headLr * scheduleFactor(headSchedule, point);
    const output = await trainer.step(feedsOf(step), {
      learningRate,
      step: done + 1,
      averageDecay: averageDecayAt({ averageDecay: headAverageDecay }, done),
    });
    const loss = Number(output.loss!.data[0]);
    if (!Number.isFinite(loss)) refuseDivergence(settings, epoch);
    sum += loss;
  }
  return { loss: sum / steps, steps, learningRate };
}

/** By column of the features: what makes them of mean 0 and deviation 1 over the training films. */
interface Scale {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

const scales = new WeakMap<Features, Scale>();

/** Of many heads on the same features they are found once. */
function scaleOf(features: Features): Scale {
  const known = scales.get(features);
  if (known) return known;
  const found = measuredScale(features);
  scales.set(features, found);
  return found;
}

function measuredScale({ count, width, readInto }: Features): Scale {
  const [sum, squares] = [new Float64Array(width), new Float64Array(width)];
  const row = new Float32Array(width);
  for (let index = 0; index < count; index++) {
    readInto(index, 0, row);
    for (let column = 0; column < width; column++) {
      const value = row[column]!;
      sum[column]! += value;
      squares[column]! += value * value;
    }
  }
  const mean = Float32Array.from(sum, (value) => value / count);
  const deviation = Float32Array.from(squares, (value, column) =>
    Math.sqrt(Math.max(0, value / count - (sum[column]! / count) ** 2)),
  );
  // A feature that hardly ever differs would weigh any film in which it does too much.
  const least = 0.01 * deviation.reduce((a, b) => Math.max(a, b), 0) || 1;
  return { mean, deviation: deviation.map((value) => Math.max(value, least)) };
}

/** The head that takes the features as they are. */
function unscaled(
  head: ReadonlyMap<string, Tensor>,
  { mean, deviation }: Scale,
): ReadonlyMap<string, Tensor> {
  const [weight, bias] = HEAD.map((name) => head.get(name)!) as [Tensor, Tensor];
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

function scaled(features: Value, { mean, deviation }: Scale): Value {
  const { builder } = features;
  const row = (values: Float32Array) => builder.constant(float32([1, values.length], values));
  return op.div(op.sub(features, row(mean)), row(deviation));
}

interface Shapes {
  readonly scale: Scale;
  readonly batch: number;
  readonly labels: Labels;
}

function trainingOf({ settings, loss }: HeadStage, { scale, batch, labels: { width } }: Shapes) {
  const builder = graphBuilder();
  const size = scale.mean.length;
  const x = scaled(builder.input("features", "float32", [batch, size]), scale);
  const kept =
    settings.headDropout === 0 ? x : op.mul(x, builder.input("kept", "float32", [batch, size]));
  const logits = headOf(kept, width, settings.seed);
  const targets = builder.input("targets", "float32", [batch, width]);
  const weights = builder.input("weights", "float32", [batch, width]);
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

function validationOf(stage: HeadStage, scale: Scale, width: number): Graph {
  const builder = graphBuilder();
  const features = builder.input("features", "float32", ["N", scale.mean.length]);
  const logits = headOf(scaled(features, scale), width, stage.settings.seed);
  builder.output(probabilitiesOf(logits, stage.task), "probabilities");
  return weightsAsInputs(builder.build("head-validation"), new Set(HEAD));
}

async function predict(
  session: Session,
  { features, samples }: FeatureSet,
  head: ReadonlyMap<string, Tensor>,
): Promise<Prediction[]> {
  const { count, width, readInto } = features;
  const rows = 256;
  const predictions: Prediction[] = [];
  for (let start = 0; start < count; start += rows) {
    const here = Math.min(rows, count - start);
    const x = new Float32Array(here * width);
    for (let place = 0; place < here; place++)
      readInto(start + place, 0, x.subarray(place * width));
    const feeds = { features: float32([here, width], x), ...Object.fromEntries(head) };
    const { probabilities } = await session.run(feeds);
    const values = probabilities!.data as Float32Array;
    const classes = values.length / here;
    for (let place = 0; place < here; place++)
      predictions.push({
        target: samples[start + place]!.target,
        probabilities: values.slice(place * classes, (place + 1) * classes),
      });
  }
  return predictions;
}

const copyOf = ({ type, dims, data }: Tensor): Tensor => ({ type, dims, data: data.slice() });

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
