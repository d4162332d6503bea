/**
 * The first stage: a new head on features of the frozen backbone, to its own early stop. An epoch
 * over cached features takes a fraction of a second, so nothing of it is saved before the end, and
 * a run that is killed meanwhile repeats it bit for bit.
 */
import { adamW, type Loss, trainingGraph } from "../../autodiff/index.ts";
import { probabilitiesOf } from "../../classifier/index.ts";
import { classOf, type Sample, type Task } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import type { Prediction } from "../../evaluation/index.ts";
import { openSession, type Session } from "../../onnx/index.node.ts";
import {
  float32,
  type Graph,
  graphBuilder,
  operators as op,
  type Tensor,
} from "../../onnx/index.ts";
import { hashPath } from "../../random.ts";
import type { EpochRecord } from "../checkpoint.ts";
import { isBestYet, metricsOf } from "../choice.ts";
import { weightsAsInputs } from "../compose.ts";
import type { TrainContext } from "../context.ts";
import { type Labels, labelsForLoss } from "../labels.ts";
import type { Settings } from "../options.ts";
import { epochOrder } from "../sampling.ts";
import { directionOf } from "../suitability.ts";
import { openTrainer, type Trainer } from "../trainer.ts";
import type { Features } from "./features.ts";
import type { HeadRecord } from "./head-record.ts";
import { HEAD, headOf } from "./network.ts";

/** Tried on 4,430 films' features of EfficientNet-Lite0; no alternatives were compared. */
const BATCH = 64;
const WEIGHT_DECAY = 0.05;
/** Epochs without improvement after which the stage ends. */
const PATIENCE = 10;

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
  const batch = Math.min(BATCH, train.features.count);
  const trainer = await openTrainer(trainingOf(stage, { scale, batch, labels }), settings);
  const validator = await openSession(validationOf(stage, scale, labels.width), settings);
  try {
    const history: EpochRecord[] = [];
    let best: { value: number | null; epoch: number; tensors: Map<string, Tensor> } | null = null;
    for (let epoch = 0; epoch < settings.headEpochs; epoch++) {
      if (best && epoch - best.epoch >= PATIENCE) break;
      if (context.signal?.aborted) refuseToGoOn();
      const begun = performance.now();
      const { loss, steps } = await trainEpoch(trainer, stage, { epoch, batch, labels });
      const trained = performance.now();
      const head = new Map(HEAD.map((name) => [name, copyOf(trainer.state().get(name)!)]));
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
        learningRate: settings.headLr,
        seconds: (performance.now() - begun) / 1000,
        imagesPerSecond: (1000 * steps * batch) / (trained - begun),
        time: Date.now() / 1000,
      };
      history.push(record);
      context.onEvent?.({ kind: "headEpoch", record, epochs: settings.headEpochs, isBest });
    }
    const { tensors, epoch: bestEpoch, value } = best!;
    return { tensors: unscaled(tensors, scale), bestEpoch, value, history };
  } finally {
    await trainer.close();
    await validator.close();
  }
}

interface Epoch {
  readonly epoch: number;
  readonly batch: number;
  readonly labels: Labels;
}

async function trainEpoch(trainer: Trainer, stage: HeadStage, { epoch, batch, labels }: Epoch) {
  const { settings, task, train } = stage;
  const { features, samples } = train;
  const { seed, featurePasses, headLr } = settings;
  const { width } = labels;
  const order = epochOrder(features.count, {
    seed: hashPath(seed, "head"),
    epoch,
    step: batch,
    classes:
      settings.balance === "sampling" ? samples.map((sample) => classOf(sample, task)) : undefined,
  });
  const steps = order.length / batch;
  const [x, targets, weights] = [features.width, width, width].map(
    (columns) => new Float32Array(batch * columns),
  ) as [Float32Array, Float32Array, Float32Array];
  let sum = 0;
  for (let step = 0; step < steps; step++) {
    for (let place = 0; place < batch; place++) {
      const index = order[step * batch + place]!;
      const pass = hashPath(seed, "feature-pass", epoch, index) % (featurePasses + 1);
      features.readInto(index, pass, x.subarray(place * features.width));
      const own = [index * width, (index + 1) * width] as const;
      targets.set(labels.targets.subarray(...own), place * width);
      weights.set(labels.weights.subarray(...own), place * width);
    }
    const noiseSeed = hashPath(seed, "head-noise", epoch, step);
    const output = await trainer.step(
      {
        features: float32([batch, features.width], x),
        targets: float32([batch, width], targets),
        weights: float32([batch, width], weights),
      },
      { learningRate: headLr, step: epoch * steps + step + 1, noiseSeed },
    );
    const loss = Number(output.loss!.data[0]);
    if (!Number.isFinite(loss)) refuseDivergence(settings, epoch);
    sum += loss;
  }
  return { loss: sum / steps, steps };
}

/** By column of the features: what makes them of mean 0 and deviation 1 over the training films. */
interface Scale {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

function scaleOf({ count, width, readInto }: Features): Scale {
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

function scaledHead(
  { mean, deviation }: Scale,
  { settings }: HeadStage,
  { rows, width }: { readonly rows: number | "N"; readonly width: number },
) {
  const builder = graphBuilder();
  const features = builder.input("features", "float32", [rows, mean.length]);
  const centred = op.sub(features, builder.constant(float32([1, mean.length], mean)));
  const x = op.div(centred, builder.constant(float32([1, mean.length], deviation)));
  return { builder, logits: headOf(x, width, settings.seed) };
}

function trainingOf(
  stage: HeadStage,
  {
    scale,
    batch,
    labels,
  }: { readonly scale: Scale; readonly batch: number; readonly labels: Labels },
) {
  const { width } = labels;
  const { builder, logits } = scaledHead(scale, stage, { rows: batch, width });
  const targets = builder.input("targets", "float32", [batch, width]);
  const weights = builder.input("weights", "float32", [batch, width]);
  builder.output(stage.loss({ logits, targets, weights }), "loss");
  return trainingGraph(builder.build("head"), { optimizer: adamW({ weightDecay: WEIGHT_DECAY }) });
}

function validationOf(stage: HeadStage, scale: Scale, width: number): Graph {
  const { builder, logits } = scaledHead(scale, stage, { rows: "N", width });
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
