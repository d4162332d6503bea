/** The head's stage of a run: taken from its folder, or found and written there. */
import { assert } from "../../errors.ts";
import type { TrainContext } from "../context.ts";
import type { Run } from "../run.ts";
import { type FeatureSource, openFeatures } from "./features.ts";
import { trainHead } from "./head.ts";
import { type HeadRecord, readHead, writeHead } from "./head-record.ts";

export type EnteredRun = Pick<Run, "folder" | "settings" | "dataset" | "data" | "graphs">;

/** The head of the run's backbone. Throws what `openFeatures` and `trainHead` throw. */
export async function findHead(run: EnteredRun, context: TrainContext): Promise<HeadRecord> {
  const head = readHead(run.folder) ?? (await newHead(run, context));
  const { metric } = run.settings;
  context.onEvent?.({
    kind: "head",
    bestEpoch: head.bestEpoch,
    epochs: head.history.length,
    metric: { name: metric, value: head.value },
  });
  return head;
}

async function newHead(run: EnteredRun, context: TrainContext): Promise<HeadRecord> {
  const { folder, settings, dataset, data, graphs } = run;
  const { transfer, augmentation, loss } = graphs;
  assert(transfer, "a head's stage needs a backbone");
  const total = data.train.count * (settings.featurePasses + 1) + data.validation.count;
  let before = 0;
  const source: FeatureSource = {
    features: transfer.features,
    settings,
    augmentation,
    cacheFolder: context.cacheFolder,
    signal: context.signal,
    onProgress: ({ done }) => context.onEvent?.({ kind: "features", done: before + done, total }),
  };
  const train = await openFeatures(data.train, settings.featurePasses, source);
  try {
    before = total - data.validation.count;
    const validation = await openFeatures(data.validation, 0, source);
    try {
      const head = await trainHead({
        settings,
        task: dataset.task,
        train: { features: train, samples: data.train.samples },
        validation: { features: validation, samples: data.validation.samples },
        loss,
        context,
      });
      writeHead(folder, head);
      return head;
    } finally {
      validation.close();
    }
  } finally {
    train.close();
  }
}
