/** One trial: the training of one configuration, told to stop where its reports do not promise. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Dataset } from "../../datasets/index.ts";
import { isHilumError } from "../../errors.ts";
import { isBetter, type Prediction } from "../../evaluation/index.ts";
import { writeFileAtomically } from "../../files.node.ts";
import type { EpochRecord } from "../checkpoint.ts";
import type { OnTrainEvent } from "../events.ts";
import type { TrainOptions } from "../options.ts";
import { CHECKPOINTS, runFolder } from "../run-folder.ts";
import { trainOn } from "../train.ts";
import { LATENCY, metricObjective, type SweepConfig, triesHeads } from "./config.ts";
import type { HeadBench } from "./head-bench.ts";
import { latencyOf } from "./latency.ts";
import type { Params } from "./space.ts";
import type { Outcome } from "./store.ts";
import { predictionsFile, type SavedPredictions, trialFolder } from "./sweep-folder.ts";
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
  /** Where heads are tried. */
  readonly bench: HeadBench;
}

export interface TrialContext {
  readonly cacheFolder?: string | undefined;
  /** Stops the trial so that it can be gone on with; `train` then throws `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnTrainEvent | undefined;
  /** Takes a report and says whether the trial is to be stopped for good. */
  readonly isToStop: (report: Report) => Promise<boolean>;
}

const PRUNED: Outcome = { state: "pruned", values: [], error: null };

/**
 * Trains the trial from where it stands to its end. Throws `interrupted` where the signal aborts, and
 * what is wrong with more than this trial; a configuration that diverges is a failed trial.
 */
export async function runTrial(work: TrialWork, context: TrialContext): Promise<Outcome> {
  const { folds } = work.config;
  const trainPart = triesHeads(work.config) ? trainHeadPart : trainRunPart;
  const found: (number | null)[] = [];
  let before = 0;
  let model = "";
  let [films, epoch] = [work.dataset.samples.length, 1];
  const onEvent: OnTrainEvent = (event) => {
    if (event.kind === "started") films = event.train;
    else if (event.kind === "epochStarted") epoch = event.epoch;
    else if (event.kind === "headEpoch") epoch = event.record.epoch + 1;
    context.onEvent?.(event);
  };
  try {
    for (const fold of folds === null ? [null] : foldsOf(folds)) {
      const isToStop = async (step: number, value: number | null, images: number) =>
        fold === null && context.isToStop({ step, value, images });
      const part = await trainPart(
        work,
        { ...context, onEvent },
        { out: partFolder(work, fold), fold, isToStop },
      );
      if (part === null) return PRUNED;
      found.push(part.value);
      before += part.images;
      model = part.model;
      if (fold === null) continue;
      const report = { step: fold, value: meanOf(found), images: before };
      if ((await context.isToStop(report)) && fold < folds!) return PRUNED;
    }
    const values = await objectiveValues(work.config, meanOf(found), model);
    removeCheckpoints(work);
    return { state: "complete", values, error: null };
  } catch (error) {
    if (!isHilumError(error) || error.code !== "training-diverged") throw error;
    removeCheckpoints(work);
    // The epoch counts as a whole: films that are not counted would never be spent.
    const images = before + films * epoch;
    const step = folds === null ? epoch : found.length + 1;
    await context.isToStop({ step, value: null, images });
    return { state: "failed", values: [], error: error.message };
  }
}

const foldsOf = (folds: number): number[] => Array.from({ length: folds }, (_, n) => n + 1);

/** The folder of a trial's run, or of one of its folds. */
function partFolder({ sweep, number }: TrialWork, fold: number | null): string {
  const out = trialFolder(sweep, number);
  return fold === null ? out : join(out, `fold-${fold}`);
}

interface Part {
  readonly out: string;
  readonly fold: number | null;
  /** Told of an epoch: its metric, and the films trained on so far. */
  isToStop(epoch: number, value: number | null, images: number): Promise<boolean>;
}

interface Trained {
  /** Of the best epoch. */
  readonly value: number | null;
  readonly images: number;
  readonly model: string;
}

const partOptions = ({ config, params }: TrialWork, fold: number | null): TrainOptions => ({
  ...trialOptions(config, params),
  ...(fold === null ? {} : { folds: config.folds, fold }),
});

/** Tries one head of the trial; null where it was told to stop. */
async function trainHeadPart(
  work: TrialWork,
  { signal, onEvent }: TrialContext,
  { out, fold, isToStop }: Part,
): Promise<Trained | null> {
  const { sweep, config, number, reports, bench } = work;
  // What was reported before the trial was taken over was not a reason to stop.
  const known = new Set(reports.map(({ step }) => step));
  let best: { predictions: readonly Prediction[]; patients: readonly string[] } | undefined;
  let images = 0;
  const tried = await bench.tryHead(partOptions(work, fold), {
    out,
    signal,
    onEvent,
    async onEpoch({ record, isBest }, predictions, films) {
      if (isBest) best = { predictions, patients: films.validation.map(({ patient }) => patient) };
      images = record.epoch * films.train;
      if (known.has(record.epoch)) return false;
      return isToStop(record.epoch, objectiveOf(record, config), images);
    },
  });
  if (tried === null) return null;
  if (best) savePredictions(predictionsFile(sweep, number, fold), best);
  return { ...tried, images, model: "" };
}

/** Trains one run of the trial; null where it was told to stop. */
async function trainRunPart(
  work: TrialWork,
  { signal, onEvent, cacheFolder }: TrialContext,
  { out, fold, isToStop }: Part,
): Promise<Trained | null> {
  const { sweep, config, dataset, number } = work;
  const stop = new AbortController();
  const { direction } = metricObjective(config.objectives);
  let films = 0;
  let epochs = 0;
  let best = bestOf(historyOf(out), config);
  try {
    const result = await trainOn(dataset, partOptions(work, fold), {
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
          savePredictions(predictionsFile(sweep, number, fold), {
            predictions,
            patients: patientsOf(out),
          });
        }
        const isStopped = await isToStop(record.epoch, value, record.epoch * films);
        if (isStopped && record.epoch < epochs) stop.abort();
      },
    });
    if (stop.signal.aborted) return null;
    const history = historyOf(out);
    return {
      // Without epochs there was a pretrained backbone's head.
      value: history.length > 0 ? bestOf(history, config) : objectiveOf(result, config),
      images: history.length * result.images.train,
      model: result.model,
    };
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

function bestOf(history: readonly EpochRecord[], config: SweepConfig): number | null {
  const { direction } = metricObjective(config.objectives);
  return history.reduce<number | null>(
    (top, record) => better(objectiveOf(record, config), top, direction),
    null,
  );
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

/** Of the validation films, as the run's manifest names them in the order of its predictions. */
function patientsOf(out: string): string[] {
  return runFolder(out)
    .lines<{ split: string; patient: string }>("manifest")
    .filter(({ split }) => split === "val")
    .map(({ patient }) => patient);
}

function savePredictions(path: string, { predictions, patients }: SavedPredictions): void {
  const plain = predictions.map(({ target, probabilities }) => ({
    target,
    probabilities: Array.from(probabilities),
  }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomically(path, JSON.stringify({ predictions: plain, patients }));
}

/** Hundreds of trials would fill a disk with what only a trial under way needs. */
function removeCheckpoints(work: TrialWork): void {
  const { folds } = work.config;
  for (const fold of folds === null ? [null] : foldsOf(folds))
    rmSync(join(partFolder(work, fold), CHECKPOINTS), { recursive: true, force: true });
}
