/** The learning-rate range test: a training that lasts some steps, while the rate grows. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Dataset } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import type { TrainContext } from "./context.ts";
import { openData } from "./open-data.ts";
import { settingsOf, type TrainOptions } from "./options.ts";
import { type RatePoint, suggestRate } from "./rate-suggestion.ts";
import { openRun, type Run } from "./run.ts";
import { runFolder } from "./run-folder.ts";
import { epochOrder } from "./sampling.ts";
import { defaultMetric } from "./suitability.ts";
import { chosenModel } from "./transfer/choose.ts";

export interface RateRange {
  readonly points: readonly RatePoint[];
  /** Null where the loss never fell. */
  readonly suggestion: number | null;
  /** The recipe's, to compare with. */
  readonly recipe: number;
}

export interface RateRangeContext
  extends Omit<TrainContext, "out" | "isResumed" | "onEvent" | "onEpoch" | "hasPreview"> {
  readonly steps?: number | undefined;
  /** After each step, and while films are decoded and a backbone's head is found. */
  readonly onProgress?:
    | ((
        doing: "decoding films" | "features" | "head" | "steps",
        done: number,
        total: number,
      ) => void)
    | undefined;
}

const STEPS = 100;
const LOWEST = 1e-6;
const HIGHEST = 1;
/** Share of the past in the moving average. */
const MEMORY = 0.9;
/** The test ends where the average is so many times its minimum. */
const LOST = 4;

/**
 * Trains with rates from 1e-6 to 1, each step's a little higher, until the loss is lost. Source:
 * Smith 2017, "Cyclical learning rates for training neural networks", 3.3. Leaves nothing behind.
 * Throws what `train` throws, `training-diverged` where the very first loss is no number, and
 * `interrupted`.
 */
export async function findLearningRate(
  data: Dataset | string,
  options: TrainOptions,
  context: RateRangeContext = {},
): Promise<RateRange> {
  const model = await chosenModel(options, context);
  const { name, recipe, defaults, weights } = model;
  const { onProgress, steps = STEPS } = context;
  const dataset = typeof data === "string" ? await openData(data, options) : data;
  // The test is of what an epoch trains; a backbone's head keeps its rate.
  const own = { model: name, weightsSha256: weights?.sha256 ?? null, lr: HIGHEST };
  const settings = settingsOf({ ...options, ...own }, recipe, {
    ...defaults,
    metric: defaultMetric(dataset.task),
    threads: availableParallelism(),
  });
  const folder = mkdtempSync(join(tmpdir(), "hilum-lr-"));
  try {
    const run = await openRun(
      dataset,
      { settings, model, folder: runFolder(folder) },
      {
        ...context,
        out: folder,
        onEvent(event) {
          if (event.kind === "caching") onProgress?.("decoding films", event.done, event.total);
          else if (event.kind === "features") onProgress?.("features", event.done, event.total);
          else if (event.kind === "headEpoch")
            onProgress?.("head", event.record.epoch, event.epochs);
        },
      },
    );
    try {
      const points = await rangeOf(run, steps, context);
      return { points, suggestion: suggestRate(points), recipe: recipe.learningRate };
    } finally {
      await run.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rangeOf(
  run: Run,
  steps: number,
  { signal, onProgress }: RateRangeContext,
): Promise<RatePoint[]> {
  const points: RatePoint[] = [];
  let average = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    if (signal?.aborted)
      throw new HilumError("interrupted", "Stopped in the range test; nothing is kept of it.");
    const lr = LOWEST * (HIGHEST / LOWEST) ** (step / Math.max(1, steps - 1));
    const { loss: output } = await run.trainer.step(feedsOf(run, step), {
      learningRate: lr,
      step: step + 1,
      averageDecay: 0,
    });
    const loss = Number(output!.data[0]);
    average = MEMORY * average + (1 - MEMORY) * loss;
    const smoothed = average / (1 - MEMORY ** (step + 1));
    if (!Number.isFinite(smoothed)) {
      if (step === 0) refuseFirstLoss(loss);
      break;
    }
    points.push({ lr, loss, smoothed });
    lowest = Math.min(lowest, smoothed);
    if (smoothed > LOST * lowest) break;
    onProgress?.("steps", step + 1, steps);
  }
  return points;
}

/** No rate has moved anything yet. */
function refuseFirstLoss(loss: number): never {
  throw new HilumError(
    "training-diverged",
    `The loss is ${loss} before any training, so that no rate can be found. Look at the network and the loss.`,
    { symptom: `The loss is ${loss}`, step: 1 },
  );
}

/** The films of a step, epoch after epoch. */
function feedsOf(run: Run, step: number) {
  const { settings, batch, batches, data } = run;
  const perStep = batch * settings.microBatches;
  const orderOf = (epoch: number) =>
    epochOrder(data.train.count, {
      seed: settings.seed,
      epoch,
      step: perStep,
      classes: settings.balance === "sampling" ? run.classes : undefined,
    });
  const length = orderOf(0).length / perStep;
  const [epoch, within] = [Math.floor(step / length), step % length];
  const order = orderOf(epoch);
  return Array.from({ length: settings.microBatches }, (_, slot) => {
    const from = within * perStep + slot * batch;
    return batches.fill(slot, order.subarray(from, from + batch), epoch, within);
  });
}

/**
 * The options with a rate found by a range test, or with its own where `out` holds a run (or folds)
 * already. Throws `training-diverged` where the loss falls at no rate.
 */
export async function withFoundRate(
  data: Dataset | string,
  options: TrainOptions,
  context: RateRangeContext & { readonly out: string },
): Promise<TrainOptions> {
  const places = [context.out, join(context.out, "fold-1")].map(runFolder);
  const begun = places.find((place) => place.state() !== "absent");
  if (begun) return { ...options, lr: begun.config().settings.lr };
  // Of several folds the first stands for all.
  const isEveryFold = typeof options.folds === "number" && typeof options.fold !== "number";
  const tested = isEveryFold ? { ...options, fold: 1 } : options;
  const { suggestion, recipe } = await findLearningRate(data, tested, context);
  if (suggestion === null)
    throw new HilumError(
      "training-diverged",
      `The loss falls at no rate from ${LOWEST} to ${HIGHEST}, so none can be suggested. Give --lr a number; the recipe's is ${recipe}.`,
      { option: "lr", value: "auto" },
    );
  return { ...options, lr: Number(suggestion.toPrecision(3)) };
}
