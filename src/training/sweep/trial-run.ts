/** One trial: the training of one configuration, told to stop where its reports do not promise. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Dataset } from "../../datasets/index.ts";
import { isHilumError } from "../../errors.ts";
import { isBetter, type Prediction } from "../../evaluation/index.ts";
import { writeFileAtomically } from "../../files.node.ts";
import type { EpochRecord } from "../checkpoint.ts";
import type { OnTrainEvent } from "../events.ts";
import { CHECKPOINTS, runFolder } from "../run-folder.ts";
import { train } from "../train.ts";
import { LATENCY, metricObjective, type SweepConfig } from "./config.ts";
import { latencyOf } from "./latency.ts";
import type { Params } from "./space.ts";
import type { Outcome } from "./store.ts";
import { predictionsFile, trialFolder } from "./sweep-folder.ts";
import type { Report } from "./trial.ts";
import { trialOptions } from "./trial-options.ts";

export interface TrialWork {
  readonly sweep: string;
  readonly config: SweepConfig;
  readonly dataset: Dataset;
  readonly number: number;
  readonly params: Params;
  /** Reports that are there already: of a trial that is taken over. */
  readonly reports: readonly Report[];
}

export interface TrialContext {
  readonly cacheFolder?: string | undefined;
  /** Stops the trial so that it can be gone on with; `train` then throws `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnTrainEvent | undefined;
  /** Takes a report and says whether the trial is to be stopped for good. */
  readonly isToStop: (report: Report) => Promise<boolean>;
}

/**
 * Trains the trial from where it stands to its end. Throws `interrupted` where the signal aborts, and
 * what is wrong with more than this trial; a configuration that diverges is a failed trial.
 */
export async function runTrial(work: TrialWork, context: TrialContext): Promise<Outcome> {
  try {
    const outcome =
      work.config.folds === null ? await runEpochs(work, context) : await runFolds(work, context);
    removeCheckpoints(work);
    return outcome;
  } catch (error) {
    if (!isHilumError(error) || error.code !== "training-diverged") throw error;
    removeCheckpoints(work);
    return { state: "failed", values: [], error: error.message };
  }
}

const PRUNED: Outcome = { state: "pruned", values: [], error: null };

/** A report for each epoch, the value the best of them. */
async function runEpochs(work: TrialWork, context: TrialContext): Promise<Outcome> {
  const { config, sweep, number } = work;
  const out = trialFolder(sweep, number);
  const values = new Map(work.reports.map(({ step, value }) => [step, value]));
  const model = await trainPart(work, context, {
    out,
    fold: null,
    async isToStop(record, value, images) {
      values.set(record.epoch, value);
      return context.isToStop({ step: record.epoch, value, images });
    },
  });
  if (model === null) return PRUNED;
  // Without epochs there was a pretrained backbone's head, whose reports are not ours.
  const value =
    values.size > 0
      ? bestOf([...values.values()], config)
      : objectiveOf(runFolder(out).result(), config);
  return { state: "complete", values: await objectiveValues(config, value, model), error: null };
}

/** A report for each fold: the mean so far of the folds' best values. */
async function runFolds(work: TrialWork, context: TrialContext): Promise<Outcome> {
  const { config, sweep, number } = work;
  const found: (number | null)[] = [];
  let images = 0;
  let model = "";
  for (let fold = 1; fold <= config.folds!; fold++) {
    const out = join(trialFolder(sweep, number), `fold-${fold}`);
    const trained = await trainPart(work, context, {
      out,
      fold,
      isToStop: async () => false,
    });
    if (trained === null) return PRUNED;
    model = trained;
    const history = historyOf(out);
    found.push(
      history.length > 0
        ? bestOf(
            history.map((record) => objectiveOf(record, config)),
            config,
          )
        : objectiveOf(runFolder(out).result(), config),
    );
    images += history.length * runFolder(out).result().images.train;
    const report = { step: fold, value: meanOf(found), images };
    if ((await context.isToStop(report)) && fold < config.folds!) return PRUNED;
  }
  return {
    state: "complete",
    values: await objectiveValues(config, meanOf(found), model),
    error: null,
  };
}

interface Part {
  readonly out: string;
  readonly fold: number | null;
  readonly isToStop: (
    record: EpochRecord,
    value: number | null,
    images: number,
  ) => Promise<boolean>;
}

/** Trains one run of the trial and returns its model; null where it was told to stop. */
async function trainPart(
  { sweep, config, dataset, number, params }: TrialWork,
  { signal, onEvent, cacheFolder }: TrialContext,
  { out, fold, isToStop }: Part,
): Promise<string | null> {
  const stop = new AbortController();
  const { direction } = metricObjective(config.objectives);
  let films = 0;
  let epochs = 0;
  let best = historyOf(out)
    .map((record) => objectiveOf(record, config))
    .reduce<number | null>((top, value) => better(value, top, direction), null);
  const options = {
    ...trialOptions(config, params),
    ...(fold === null ? {} : { folds: config.folds, fold }),
  };
  try {
    const { model } = await train(dataset, options, {
      out,
      cacheFolder,
      isResumed: true,
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      onEvent(event) {
        if (event.kind === "started") {
          films = event.train;
          epochs = event.epochs;
        }
        onEvent?.(event);
      },
      async onEpoch(record, predictions) {
        const value = objectiveOf(record, config);
        // The same epoch may come again after a crash, and then predicts the same.
        if (best === null || (value !== null && better(value, best, direction) === value)) {
          best = value;
          savePredictions(predictionsFile(sweep, number, fold), out, predictions);
        }
        const isStopped = await isToStop(record, value, record.epoch * films);
        if (isStopped && record.epoch < epochs) stop.abort();
      },
    });
    return stop.signal.aborted ? null : model;
  } catch (error) {
    const isOurs = stop.signal.aborted && isHilumError(error) && error.code === "interrupted";
    if (!isOurs) throw error;
    return null;
  }
}

/** Of an epoch, or of a run's result. */
function objectiveOf(
  { metrics }: Pick<EpochRecord, "metrics">,
  { objectives }: SweepConfig,
): number | null {
  return metrics[metricObjective(objectives).name] ?? null;
}

function better(
  candidate: number | null,
  best: number | null,
  direction: "higher" | "lower",
): number | null {
  if (candidate === null) return best;
  return isBetter(candidate, best, direction) ? candidate : best;
}

function bestOf(values: readonly (number | null)[], { objectives }: SweepConfig): number | null {
  const { direction } = metricObjective(objectives);
  return values.reduce<number | null>((top, value) => better(value, top, direction), null);
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : known.reduce((a, b) => a + b, 0) / known.length;
}

async function objectiveValues(
  { objectives, threads }: SweepConfig,
  value: number | null,
  model: string,
): Promise<(number | null)[]> {
  const values: (number | null)[] = [];
  for (const { name } of objectives)
    values.push(name === LATENCY ? await latencyOf(model, threads) : value);
  return values;
}

function historyOf(out: string): EpochRecord[] {
  return runFolder(out).lines("history");
}

/** With the patients, as the run's manifest names them in the same order. */
function savePredictions(path: string, out: string, predictions: readonly Prediction[]): void {
  const patients = runFolder(out)
    .lines<{ split: string; patient: string }>("manifest")
    .filter(({ split }) => split === "val")
    .map(({ patient }) => patient);
  const plain = predictions.map(({ target, probabilities }) => ({
    target,
    probabilities: Array.from(probabilities),
  }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomically(path, JSON.stringify({ predictions: plain, patients }));
}

/** Hundreds of trials would fill a disk with what only a trial under way needs. */
function removeCheckpoints({ sweep, number, config }: TrialWork): void {
  const out = trialFolder(sweep, number);
  const runs =
    config.folds === null
      ? [out]
      : Array.from({ length: config.folds }, (_, n) => join(out, `fold-${n + 1}`));
  for (const run of runs) {
    rmSync(join(run, CHECKPOINTS), { recursive: true, force: true });
  }
}
