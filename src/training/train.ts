/** Training, as one call. Read next: run.ts opens a run, loop.ts goes through it, export.ts its end. */
import { availableParallelism } from "node:os";
import { isAbsolute, relative, resolve } from "node:path";
import type { Dataset } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import type { TrainContext } from "./context.ts";
import { eventsOf, type TrainEvent } from "./events.ts";
import { trainToEnd } from "./loop.ts";
import { withRunFolder } from "./occupancy.ts";
import { openData, openOptions } from "./open-data.ts";
import { type Circumstances, type Settings, settingsOf, type TrainOptions } from "./options.ts";
import { openRun } from "./run.ts";
import { type RunFolder, type RunResult, refuseChanges, runFolder } from "./run-folder.ts";
import { defaultMetric, refuseUnsuited } from "./suitability.ts";
import { type ChosenModel, chosenModel } from "./transfer/choose.ts";

/**
 * Trains a classifier on a data set (or the folder of one) and returns what came of it. Equal
 * settings on equal data give equal weights, interrupted and resumed or not. Throws
 * `invalid-option`, `unknown-model`, `run-exists`, `settings-changed`, `data-changed`,
 * `folder-locked`, `data-leak`, `training-diverged`, `disk-full`, and `interrupted` once the signal
 * aborts and the step under way is saved.
 *
 * @example
 * const run = await train("chest_xray", { model: "cnn", seed: 1 }, { out: "runs/cnn" });
 * console.log(run.metrics.auroc, run.model);
 */
export async function train(
  data: Dataset | string,
  options: TrainOptions,
  context: TrainContext,
): Promise<RunResult> {
  refuseMisplaced(data, options);
  return trainOn(data, options, context);
}

/** The same for a data set that was opened with these very options. */
export async function trainOn(
  data: Dataset | string,
  options: TrainOptions,
  context: TrainContext,
): Promise<RunResult> {
  const folder = runFolder(resolve(context.out));
  const isResumed = context.isResumed === true;
  const model = await chosenModel(options, context);
  if (isResumed && folder.state() === "finished") return finished(folder, options, model);
  return withRunFolder(folder, { isResumed }, async () => {
    if (folder.state() === "finished") return finished(folder, options, model);
    if (folder.state() === "started") resumedSettings(folder, options, model);
    const dataset = typeof data === "string" ? await openData(data, options) : data;
    refuseAmongFilms(folder, dataset);
    const settings =
      folder.state() === "absent"
        ? settingsFor(options, model, {
            metric: defaultMetric(dataset.task),
            threads: availableParallelism(),
          })
        : resumedSettings(folder, options, model);
    refuseUnsuited(settings, dataset.task, Object.keys(context.metrics ?? {}));
    const run = await openRun(dataset, { settings, model, folder }, context);
    try {
      return await trainToEnd(run, context);
    } finally {
      await run.close();
    }
  });
}

/** `train` as a stream of events; leaving the loop stops training as a signal would. */
export function trainEvents(
  data: Dataset | string,
  options: TrainOptions,
  context: Omit<TrainContext, "onEvent">,
): AsyncGenerator<TrainEvent, RunResult> {
  return eventsOf(({ onEvent, signal: own }) => {
    const signal = context.signal ? AbortSignal.any([context.signal, own]) : own;
    return train(data, options, { ...context, onEvent, signal });
  });
}

/** What is not changed by going on with a finished run: nothing is. */
function finished(folder: RunFolder, options: TrainOptions, model: ChosenModel): RunResult {
  resumedSettings(folder, options, model);
  return folder.result();
}

/** The run's own settings, after making sure that those asked for are the same. */
function resumedSettings(folder: RunFolder, options: TrainOptions, model: ChosenModel): Settings {
  const { settings: before } = folder.config();
  const settings = settingsFor(options, model, before);
  refuseChanges(folder, settings);
  return settings;
}

/** Whole settings of a run of this model. Throws `invalid-option`. */
export function settingsFor(
  options: TrainOptions,
  { name, recipe, defaults, weights }: ChosenModel,
  { metric, threads }: Circumstances,
): Settings {
  const own = { model: name, weightsSha256: weights?.sha256 ?? null };
  const settings = settingsOf({ ...options, ...own }, recipe, { ...defaults, metric, threads });
  if (settings.folds !== null && settings.fold === null)
    throw new HilumError(
      "invalid-option",
      `Option folds is ${settings.folds}: say which fold to train, or train them all by trainFolds.`,
      { option: "folds", value: settings.folds },
    );
  return settings;
}

/** In a folder of classes the run would be a class, and its curves a film of it, from then on. */
function refuseAmongFilms({ path }: RunFolder, { root, layout }: Dataset): void {
  const below = relative(resolve(root), path);
  if (layout !== "class-folders" || below.startsWith("..") || isAbsolute(below)) return;
  throw new HilumError(
    "invalid-option",
    `${path} lies among the films of ${root}, where every folder is a class. Choose an --out elsewhere.`,
    { option: "out", value: path, data: root },
  );
}

/** An open data set has its labels and patients already; options that would change them come late. */
function refuseMisplaced(data: Dataset | string, options: TrainOptions): void {
  if (typeof data === "string") return;
  const late = Object.entries(openOptions(options)).find(([, value]) => value !== undefined);
  if (!late) return;
  throw new HilumError(
    "invalid-option",
    `Option ${late[0]} is read when a data set is opened, and this one is open already. Give it to openDataset.`,
    { option: late[0], value: late[1] },
  );
}
