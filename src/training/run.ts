/** An open run: data, graphs and sessions, standing where its last checkpoint left it. */
import { readFileSync } from "node:fs";
import { classOf, type Dataset } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import { openSession, type Session } from "../onnx/index.node.ts";
import type { Tensor } from "../onnx/index.ts";
import { VERSION } from "../version.ts";
import { type Batches, openBatches } from "./batches.ts";
import { FIRST_PROGRESS, loadLast, type Progress } from "./checkpoint.ts";
import { openRunData, type RunData } from "./data.ts";
import type { Settings } from "./options.ts";
import { type Graphs, graphsOf } from "./plan.ts";
import { writePreview } from "./preview.ts";
import { createRunFolder, type RunConfig, type RunFolder } from "./run-folder.ts";
import { classWeights } from "./sampling.ts";
import type { TrainContext } from "./train.ts";
import { openTrainer, type Trainer } from "./trainer.ts";

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
  readonly classes: readonly number[];
  readonly progress: Progress;
  /** What validation and the exported model use: averages where they are kept, and statistics. */
  weights(): Record<string, Tensor>;
  close(): Promise<void>;
}

/** Opens everything a run needs, writes down what it is, and takes up its last checkpoint. */
export async function openRun(
  dataset: Dataset,
  settings: Settings,
  folder: RunFolder,
  context: TrainContext,
): Promise<Run> {
  const { onEvent } = context;
  const data = await openRunData(dataset, settings, {
    ...context,
    onProgress: (progress) => onEvent?.({ kind: "caching", ...progress }),
  });
  for (const problem of data.problems) onEvent?.({ kind: "problem", problem });
  const batch = Math.max(
    1,
    Math.min(settings.batch, Math.floor(data.train.count / settings.microBatches)),
  );
  const graphs = graphsOf(settings, dataset.task, batch, context);
  enterFolder(folder, dataset, settings, data);
  const threads = settings.threads;
  const trainer = await openTrainer(graphs.training, { threads });
  const validation = await openSession(graphs.validation, { threads });
  const classes = data.train.samples.map((sample) => classOf(sample, dataset.task));
  const weights = settings.balance === "weights" ? classWeights(classes) : undefined;
  const batches = openBatches(
    {
      cache: data.train,
      task: dataset.task,
      weightOf: (index) => weights?.get(classes[index]!) ?? 1,
      batch,
      augmentation: graphs.augmentation,
      seed: settings.seed,
    },
    settings.microBatches,
  );
  const last = loadLast(folder);
  if (last) trainer.restore(last.state);
  const progress = last?.progress ?? FIRST_PROGRESS;
  if (context.hasPreview) await writePreview(folder, data.train, graphs.augmentation, settings);
  onEvent?.({
    kind: "started",
    run: folder.path,
    train: data.train.count,
    validation: data.validation.count,
    parameters: graphs.parameters,
    epochs: settings.epochs,
    resumedAt: last ? { epoch: progress.epoch + 1, step: progress.step } : null,
  });
  return {
    folder,
    settings,
    dataset,
    data,
    graphs,
    trainer,
    validation,
    batches,
    batch,
    classes,
    progress,
    weights: () => inferenceWeights(graphs, trainer),
    async close() {
      data.close();
      await trainer.close();
      await validation.close();
    },
  };
}

function inferenceWeights({ training }: Graphs, trainer: Trainer): Record<string, Tensor> {
  const state = trainer.state();
  return Object.fromEntries(
    training.state
      .filter(({ kind }) => kind === "parameter" || kind === "statistic")
      .map(({ name }) => [name, state.get(`${name}:average`) ?? state.get(name)!]),
  );
}

/** Writes what the run is, or makes sure that a resumed one trains on the same films. */
function enterFolder(folder: RunFolder, dataset: Dataset, settings: Settings, data: RunData): void {
  if (folder.state() === "absent") {
    createRunFolder(folder);
    const config: RunConfig = {
      format: 1,
      hilum: VERSION,
      data: dataset.root,
      settings,
      manifestSha256: data.manifestSha256,
    };
    folder.write("manifest", data.manifest);
    folder.write("config", `${JSON.stringify(config, null, 2)}\n`);
    return;
  }
  if (folder.config().manifestSha256 === data.manifestSha256) return;
  throw new HilumError(
    "data-changed",
    `The films are not those that ${folder.path} was trained on: ${firstDifference(folder, data)}. Restore them, or train into another --out.`,
    { run: folder.path },
  );
}

function firstDifference(folder: RunFolder, data: RunData): string {
  const lines = (text: string) => text.split("\n").filter(Boolean);
  const before = lines(readFileSync(folder.file("manifest"), "utf8"));
  const known = new Set(before);
  const now = lines(data.manifest);
  const current = new Set(now);
  const path = (line: string) => (JSON.parse(line) as { path: string }).path;
  const gone = before.find((line) => !current.has(line));
  const come = now.find((line) => !known.has(line));
  const changed = gone ?? come;
  return changed ? `${path(changed)} is missing, new or changed` : "their order changed";
}
