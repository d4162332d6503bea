/**
 * Heads tried one after another in one process: films, features and the backbone are opened once, the
 * rows stay in memory, and of each head only what a run of it would keep of its first stage is written.
 */
import { mkdirSync } from "node:fs";
import type { Dataset, Samples } from "../../datasets/index.ts";
import { assert } from "../../errors.ts";
import type { Prediction } from "../../evaluation/index.ts";
import { guardDisk } from "../../files.node.ts";
import { openRunData } from "../data.ts";
import { configOf } from "../enter.ts";
import type { OnTrainEvent } from "../events.ts";
import type { Settings, TrainOptions } from "../options.ts";
import { augmentationOf, lossOf } from "../plan.ts";
import { beginRun, runFolder } from "../run-folder.ts";
import { refuseUnsuited } from "../suitability.ts";
import { settingsFor } from "../train.ts";
import { type ChosenModel, chosenModel } from "../transfer/choose.ts";
import { type HeadEpoch, trainHead } from "../transfer/head.ts";
import { writeHead, writeHeadHistory } from "../transfer/head-record.ts";
import type { Room } from "../transfer/head-rows.ts";
import { type HeadSets, openHeadSets } from "../transfer/head-sets.ts";
import { transferNetwork } from "../transfer/network.ts";

export interface HeadTrial {
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnTrainEvent | undefined;
  /** Awaited after each epoch; returns whether the head is stopped for good. */
  onEpoch(epoch: HeadEpoch, predictions: readonly Prediction[], films: Films): Promise<boolean>;
}

export interface Films {
  readonly train: number;
  readonly validation: Samples;
}

export interface HeadBench {
  /**
   * Trains the head that `train` would find with these options, and leaves it in the folder. Returns
   * its best value, or null where it was stopped. Throws what `train` throws.
   */
  tryHead(options: TrainOptions, trial: HeadTrial): Promise<{ value: number | null } | null>;
  close(): Promise<void>;
}

/** Rows beyond are read from the disk. */
const ROOM = 2 ** 30;
/** Splits and sorts of features that stay open: those of ten folds, and of a few passes. */
const MOST_OPEN = 12;

export function openHeadBench(
  dataset: Dataset,
  { cacheFolder }: { readonly cacheFolder?: string | undefined },
): HeadBench {
  const room: Room = { bytes: ROOM };
  const open = new Map<string, Opened>();
  let model: Promise<ChosenModel> | undefined;
  return {
    async tryHead(options, { out, signal, onEvent, onEpoch }) {
      model ??= chosenModel(options, {});
      const chosen = await model;
      const { metric, threads } = options;
      assert(metric && threads, "a trial says its metric and its threads");
      const settings = settingsFor(options, chosen, { metric, threads });
      refuseUnsuited(settings, dataset.task, []);
      const key = keyOf(settings);
      const known = open.get(key);
      const opened =
        known ??
        (await openSets(
          dataset,
          { settings, model: chosen },
          { cacheFolder, signal, onEvent, room },
        ));
      open.delete(key);
      open.set(key, opened);
      for (const [name, { sets }] of [...open].slice(0, -MOST_OPEN)) {
        open.delete(name);
        await sets.close();
      }
      const folder = runFolder(out);
      if (folder.state() === "absent") {
        guardDisk(out, () => mkdirSync(out, { recursive: true }));
        beginRun(folder, configOf(opened.entry(settings), null));
      }
      let isStopped = false;
      const head = await trainHead({
        settings,
        sets: opened.sets,
        loss: lossOf(settings, dataset.task),
        context: { signal, onEvent },
        async onEpoch(epoch, predictions) {
          isStopped = await onEpoch(epoch, predictions, opened.films);
          return isStopped;
        },
      });
      if (isStopped) writeHeadHistory(folder, head.history);
      else writeHead(folder, head);
      return isStopped ? null : { value: head.value };
    },
    async close() {
      for (const { sets } of open.values()) await sets.close();
      open.clear();
    },
  };
}

interface Opened {
  readonly sets: HeadSets;
  readonly films: Films;
  entry(settings: Settings): Parameters<typeof configOf>[0];
}

/** What films and features hang on. Only heads differ in the rest. */
function keyOf(settings: Settings): string {
  const { size, fit, normalization, window, seed, valFraction, folds, fold } = settings;
  const { featurePasses: passes, augmentation, mixup } = settings;
  const drawn = passes > 0 ? { passes, augmentation, mixup } : null;
  const films = { seed, valFraction, folds, fold };
  return JSON.stringify({ size, fit, normalization, window, films, drawn });
}

interface Opening extends Pick<HeadTrial, "signal" | "onEvent"> {
  readonly cacheFolder?: string | undefined;
  readonly room: Room;
}

async function openSets(
  dataset: Dataset,
  { settings, model }: { readonly settings: Settings; readonly model: ChosenModel },
  { cacheFolder, signal, onEvent, room }: Opening,
): Promise<Opened> {
  using data = disposable(
    await openRunData(dataset, settings, {
      cacheFolder,
      signal,
      onProgress: (progress) => onEvent?.({ kind: "caching", ...progress }),
    }),
  );
  const { train, validation, manifestSha256, leaks } = data;
  const backbone = await model.backbone(settings);
  assert(backbone, "heads are tried on a backbone");
  const sets = await openHeadSets(
    { task: dataset.task, train, validation },
    {
      features: transferNetwork(backbone, settings).features,
      settings,
      augmentation: augmentationOf(settings),
      cacheFolder,
      signal,
      onEvent,
      room,
    },
  );
  const weights = model.weights?.path ?? null;
  return {
    sets,
    films: { train: train.count, validation: validation.samples },
    entry: (own) => ({ dataset, settings: own, data: { manifestSha256, leaks }, weights }),
  };
}

function disposable<T extends { close(): void }>(resource: T): T & Disposable {
  return { ...resource, [Symbol.dispose]: () => resource.close() };
}
