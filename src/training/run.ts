/** An open run: data, graphs and sessions, standing where its last checkpoint left it. */
import type { Dataset } from "../datasets/index.ts";
import { blockedChannels, openSession, type Session } from "../onnx/index.node.ts";
import type { Tensor } from "../onnx/index.ts";
import { type Batches, openBatches } from "./batches.ts";
import { FIRST_PROGRESS, loadLast, type Progress, saveBest } from "./checkpoint.ts";
import type { TrainContext } from "./context.ts";
import { openRunData, type RunData } from "./data.ts";
import { enterRun } from "./enter.ts";
import { garbageCollector } from "./garbage.ts";
import { writeHistory } from "./history.ts";
import { classesOf, labelsForLoss } from "./labels.ts";
import type { Settings } from "./options.ts";
import { type Graphs, graphsOf } from "./plan.ts";
import { writePreview } from "./preview.ts";
import type { RunFolder } from "./run-folder.ts";
import { openTrainer, type Trainer } from "./trainer.ts";
import type { ChosenModel } from "./transfer/choose.ts";
import { findHead } from "./transfer/find-head.ts";
import type { HeadRecord } from "./transfer/head-record.ts";

export interface Run {
  readonly folder: RunFolder;
  readonly settings: Settings;
  readonly dataset: Dataset;
  readonly data: RunData;
  readonly graphs: Graphs;
  readonly trainer: Trainer;
  readonly validation: Session;
  readonly batches: Batches;
  /** Images of a micro-batch: as asked for, or all there are where there are fewer. */
  readonly batch: number;
  /** Class of each training film; -1 where several findings may be present. */
  readonly classes: ArrayLike<number>;
  readonly progress: Progress;
  /** Of a pretrained backbone: what its first stage found. */
  readonly head: HeadRecord | undefined;
  /** What validation and the exported model use: averages where they are kept, and statistics. */
  weights(): Record<string, Tensor>;
  collectGarbage(): Promise<void>;
  close(): Promise<void>;
}

export interface RunPlan {
  readonly settings: Settings;
  readonly model: ChosenModel;
  readonly folder: RunFolder;
}

/** Opens everything a run needs, writes down what it is, and takes up its last checkpoint. */
export async function openRun(
  dataset: Dataset,
  { settings, model, folder }: RunPlan,
  context: TrainContext,
): Promise<Run> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  const opened = <T extends { close(): Promise<void> | void }>(resource: T): T => {
    closers.push(() => resource.close());
    return resource;
  };
  try {
    const { onEvent } = context;
    const collectGarbage = garbageCollector();
    const data = opened(
      await openRunData(dataset, settings, {
        ...context,
        onProgress: (progress) => onEvent?.({ kind: "caching", ...progress }),
      }),
    );
    for (const problem of data.problems) onEvent?.({ kind: "problem", problem });
    const batch = batchOf(settings, data.train.count);
    const block = await blockedChannels();
    const { isPretrained } = model;
    const backbone = await model.backbone(settings);
    const parts = { ...context, backbone, isPretrained, batch, block };
    const graphs = graphsOf(settings, dataset.task, parts);
    enterRun(folder, { dataset, settings, data, graphs, weights: model.weights?.path ?? null });
    const entered = { folder, settings, dataset, data, graphs };
    const head = settings.headEpochs > 0 ? await findHead(entered, context) : undefined;
    const trainer = opened(
      await openTrainer(graphs.training, { ...settings, plansMemory: !isPretrained }),
    );
    const validation = opened(await openSession(graphs.validation, settings));
    const batches = openBatches(
      {
        cache: data.train,
        labels: labelsForLoss(data.train.samples, dataset.task, {
          isBalanced: settings.balance === "weights",
        }),
        batch,
        augmentation: graphs.augmentation,
        seed: settings.seed,
      },
      settings.microBatches,
    );
    const progress = await takeUp(entered, trainer, head);
    if (context.hasPreview) await writePreview(folder, data.train, graphs.augmentation, settings);
    await collectGarbage();
    onEvent?.({
      kind: "started",
      run: folder.path,
      train: data.train.count,
      validation: data.validation.count,
      parameters: graphs.parameters,
      epochs: settings.epochs,
      resumedAt:
        progress.totalSteps === 0 ? null : { epoch: progress.epoch + 1, step: progress.step },
    });
    return {
      ...entered,
      head,
      trainer,
      validation,
      batches,
      batch,
      classes: classesOf(data.train.samples, dataset.task),
      progress,
      weights: () => inferenceWeights(graphs, trainer),
      collectGarbage,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function batchOf({ batch, microBatches }: Settings, count: number): number {
  return Math.max(1, Math.min(batch, Math.floor(count / microBatches)));
}

/** Restores the last checkpoint and cuts the history to what it knows; else begins anew. */
async function takeUp(
  { folder, graphs, settings }: Pick<Run, "folder" | "graphs" | "settings">,
  trainer: Trainer,
  head: HeadRecord | undefined,
): Promise<Progress> {
  const last = loadLast(folder);
  if (last) trainer.restore(last.state);
  else if (head) beginWithHead(trainer, head);
  const best = head ? { epoch: 0, value: head.value } : null;
  const progress = last?.progress ?? { ...FIRST_PROGRESS, best };
  if (!last && head) saveBest(folder, new Map(Object.entries(inferenceWeights(graphs, trainer))));
  // Without an epoch there is nothing to write, unless a killed process wrote one it did not save.
  if (head || progress.history.length > 0 || folder.read("history"))
    await writeHistory(folder, { head: head?.history, epochs: progress.history }, settings.metric);
  return progress;
}

function beginWithHead(trainer: Trainer, { tensors }: HeadRecord): void {
  const found = [...trainer.state()].map(([name, initial]): [string, Tensor] => [
    name,
    tensors.get(name.replace(/:average$/, "")) ?? initial,
  ]);
  trainer.restore(new Map(found));
}

function inferenceWeights({ training }: Graphs, trainer: Trainer): Record<string, Tensor> {
  const state = trainer.state();
  return Object.fromEntries(
    training.state
      .filter(({ kind }) => kind === "parameter" || kind === "statistic")
      .map(({ name }) => [name, state.get(`${name}:average`) ?? state.get(name)!]),
  );
}
