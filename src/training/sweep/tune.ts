/** A sweep, as one call. Read next: work.ts, what a worker does; claim.ts, how it chooses. */
import { availableParallelism } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import type { Dataset } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import { SELECTION_METRICS, selectionDirection } from "../../evaluation/index.ts";
import { writeFileAtomically } from "../../files.node.ts";
import { VERSION } from "../../version.ts";
import type { TrainEvent } from "../events.ts";
import { refuseStrangers } from "../occupancy.ts";
import { openData } from "../open-data.ts";
import { settingsOf, type TrainOptions } from "../options.ts";
import { defaultMetric } from "../suitability.ts";
import { chosenModel } from "../transfer/choose.ts";
import {
  type Budget,
  LATENCY,
  metricObjective,
  type Objective,
  type SweepConfig,
  triesHeads,
} from "./config.ts";
import { defaultSpace, recipeParams } from "./default-space.ts";
import { finishRun } from "./finish-run.ts";
import { drawHoldout, type Holdout, judgedOn, withoutHoldout } from "./holdout.ts";
import { PRUNERS, type PrunerName } from "./pruners/index.ts";
import { refitted } from "./refit.ts";
import { type SweepResult, sweepResult } from "./result.ts";
import { SAMPLERS, type SamplerName } from "./samplers/index.ts";
import type { Space } from "./space.ts";
import { readSpace } from "./space-file.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { isSweep, refuseNoSweep, SWEEP_FILES, storeFile, trialFolder } from "./sweep-folder.ts";
import { recipeOptions, trialOptions } from "./trial-options.ts";
import { configOf, type WorkContext, workOn } from "./work.ts";
import { writeSweepPlots } from "./write-plots.ts";

export interface TuneOptions {
  /** cnn where nothing is said. */
  readonly model?: string | undefined;
  /** Or the path of a space.json. The network's default space where nothing is said, without what `train` fixes. */
  readonly space?: Space | string | undefined;
  /** Options that all trials have alike. */
  readonly train?: TrainOptions | undefined;
  /** 20 trials where nothing is said. */
  readonly budget?: Partial<Budget> | undefined;
  readonly sampler?: SamplerName | undefined;
  readonly pruner?: PrunerName | undefined;
  /** Validation metrics, or `latency`; several give a Pareto front. The task's metric by default. */
  readonly objectives?: readonly string[] | undefined;
  /** The mean over k folds by patient is the objective. */
  readonly folds?: number | undefined;
  /** Share of the patients that no trial sees, and on whom the best and the recipe are held together. */
  readonly holdout?: number | undefined;
  readonly seed?: number | undefined;
  /** How many processes will share the cores. */
  readonly workers?: number | undefined;
}

export interface TuneContext extends WorkContext {
  /** The sweep's folder. */
  readonly out: string;
  /** Trains the winner anew on the data of all folds, into `out/refit`. */
  readonly isRefit?: boolean | undefined;
}

/**
 * Searches for the best options of training on a data set and returns what came of it. With one
 * worker, equal options give equal trials, interrupted and resumed or not, as long as the budget is
 * no time. Throws `run-exists`, `space-invalid`, `invalid-option`, `interrupted`, and what `train`
 * throws.
 *
 * @example
 * const sweep = await tune("chest_xray", { model: "cnn", budget: { trials: 50 } }, { out: "sweeps/cnn" });
 * console.log(sweep.best?.params, sweep.optimism?.corrected);
 */
export async function tune(
  data: string,
  options: TuneOptions,
  context: TuneContext,
): Promise<SweepResult> {
  await beginSweep(data, options, context);
  return resumeSweep(context);
}

/** Writes down what a sweep is, for workers to come. Throws as `tune` does. */
export async function beginSweep(
  data: string,
  options: TuneOptions,
  { out, cacheFolder }: Pick<TuneContext, "out" | "cacheFolder">,
): Promise<void> {
  const sweep = resolve(out);
  if (isSweep(sweep)) refuseSweep(sweep);
  refuseStrangers(sweep);
  const config = await configFor(data, options);
  refuseAmongFilms(sweep, config.data);
  const { holdout: share, seed } = config;
  if (share !== null)
    await drawHoldout(sweep, await openData(data, config.options), { share, seed, cacheFolder });
  await using store = closing(await openSqliteStore(storeFile(sweep)));
  if (!(await store.begin(config))) refuseSweep(sweep);
}

/**
 * Goes on with a sweep until its budget is spent, beside others that may work on it, and returns what
 * came of it; of a finished one at once. A `budget` takes the place of the one it had.
 */
export async function resumeSweep(
  context: TuneContext & { readonly budget?: Partial<Budget> | undefined },
): Promise<SweepResult> {
  const sweep = resolve(context.out);
  refuseNoSweep(sweep);
  await using store = closing(await openSqliteStore(storeFile(sweep)));
  const config = await configOf(store, sweep);
  if (context.budget) await store.changeBudget(budgetFor(config, context.budget));
  const { seen, held } = withoutHoldout(sweep, await openData(config.data, config.options));
  await workOn(sweep, store, seen, context);
  const trials = await store.trials();
  const { best } = sweepResult(sweep, config, trials);
  const holdout = await concluded({ sweep, config, seen, held, best }, context);
  const result = sweepResult(sweep, config, trials, { task: seen.task, holdout });
  writeFileAtomically(join(sweep, SWEEP_FILES.result), `${JSON.stringify(result, null, 2)}\n`);
  await writeSweepPlots(sweep, config, result.trials);
  return result;
}

interface Conclusion {
  readonly sweep: string;
  readonly config: SweepConfig;
  readonly seen: Dataset;
  readonly held: Dataset;
  readonly best: SweepResult["best"];
}

/** The runs that a sweep owes when its trials are over, and what they say of films held out. */
async function concluded(
  { sweep, config, seen, held, best }: Conclusion,
  { signal, cacheFolder, onEvent, isRefit }: TuneContext,
): Promise<Holdout | null> {
  if (!best) {
    if (isRefit) refuseNothing(sweep);
    return null;
  }
  const { number, params } = best;
  const isFolded = config.folds !== null;
  const isJudged = config.holdout !== null;
  const finish = async (out: string, options: TrainOptions): Promise<string> => {
    const told = (event: TrainEvent) => onEvent?.({ kind: "training", number, event });
    await finishRun(seen, options, { out, signal, cacheFolder, onEvent: told });
    return out;
  };
  const own = trialOptions(config, params);
  const recipe = recipeOptions(config);
  const recipeFolder = join(sweep, SWEEP_FILES.recipe);
  const refit = () => finish(join(sweep, SWEEP_FILES.refit), refitted(own));
  if (isRefit) await refit();
  // Trials of heads leave no model, and the recipe's may have been stopped.
  if (!isFolded && (isJudged || triesHeads(config))) await finish(best.run, own);
  if (!isJudged) return null;
  const contest = isFolded
    ? { best: await refit(), recipe: await finish(recipeFolder, refitted(recipe)) }
    : {
        best: best.run,
        recipe: await finish(config.first ? trialFolder(sweep, 0) : recipeFolder, recipe),
      };
  return judgedOn(held, sweep, config, contest, signal);
}

function refuseNothing(sweep: string): never {
  throw new HilumError(
    "run-unfinished",
    `No trial of ${sweep} was complete, so nothing is refitted.`,
    { sweep },
  );
}

async function configFor(data: string, options: TuneOptions): Promise<SweepConfig> {
  const { model = "cnn", train = {}, sampler = "tpe", pruner = "asha", seed = 1, folds } = options;
  const chosen = await chosenModel({ ...train, model }, {});
  oneOf("sampler", sampler, Object.keys(SAMPLERS));
  oneOf("pruner", pruner, Object.keys(PRUNERS));
  const space =
    typeof options.space === "string"
      ? readSpace(options.space, chosen)
      : (options.space ?? withoutFixed(defaultSpace(chosen, train.epochs === 0), train));
  const both = space.dimensions.find(({ name }) => train[name as keyof TrainOptions] !== undefined);
  if (both)
    refuse(both.name, `is in the space, and given for all trials as well. Leave one of them out.`);
  const dataset = await openData(data, train);
  const objectives = objectivesOf(
    options.objectives ?? [train.metric ?? defaultMetric(dataset.task)],
  );
  const threads =
    train.threads ?? Math.max(1, Math.floor(availableParallelism() / (options.workers ?? 1)));
  const given = { ...train, ...space.fixed, model, seed } as TrainOptions;
  // What is wrong with the options is better said now than in the first trial.
  const settings = settingsOf(
    { ...given, ...(folds === undefined ? {} : { folds, fold: 1 }) },
    chosen.recipe,
    {
      ...chosen.defaults,
      metric: metricObjective(objectives).name,
      threads,
    },
  );
  const counted = triesHeads({ options: train, space, objectives }) ? "headEpochs" : "epochs";
  const epochs = space.dimensions.find(({ name }) => name === counted);
  const most =
    epochs?.kind === "number"
      ? epochs.high
      : epochs
        ? Math.max(...epochs.choices.map(Number))
        : settings[counted];
  const { metric: _metric, threads: _threads, seed: _seed, ...alike } = train;
  return {
    format: 1,
    hilum: VERSION,
    data: resolve(data),
    model,
    space,
    first: sampler === "grid" ? null : (recipeParams(space, chosen) ?? null),
    options: alike,
    objectives,
    sampler,
    pruner,
    folds: folds ?? null,
    holdout: options.holdout ?? null,
    seed,
    threads,
    steps: folds ?? most,
    budget: budgetFor({ options: alike, space, objectives }, options.budget ?? {}),
  };
}

const DEFAULT_TRIALS = 20;

function budgetFor(
  config: Pick<SweepConfig, "options" | "space" | "objectives">,
  { trials = null, seconds = null, images = null }: Partial<Budget>,
): Budget {
  for (const [name, value] of Object.entries({ trials, seconds, images }))
    if (value !== null && !(value > 0)) refuse(name, `is ${value}; it has to be above 0.`);
  const isWithout = (config.space.fixed.epochs ?? config.options.epochs) === 0;
  if (images !== null && isWithout && !triesHeads(config))
    refuse(
      "images",
      "counts the films of epochs, and without epochs it is never spent. Give trials or a time.",
    );
  const isBound = trials !== null || seconds !== null || images !== null;
  return { trials: isBound ? trials : DEFAULT_TRIALS, seconds, images };
}

/** A default dimension gives way to what the user fixes. */
function withoutFixed({ dimensions, fixed }: Space, train: TrainOptions): Space {
  const isFree = (name: string) => train[name as keyof TrainOptions] === undefined;
  const free = dimensions.filter(({ name, when }) => isFree(name) && (!when || isFree(when.name)));
  if (free.length === 0)
    refuse("space", "leaves nothing to choose: every dimension has a fixed value.");
  return { dimensions: free, fixed };
}

function objectivesOf(names: readonly string[]): Objective[] {
  const isTwice = new Set(names).size < names.length;
  const metrics = names.filter((name) => name !== LATENCY);
  if (isTwice || metrics.length !== 1)
    refuse(
      "objective",
      `is ${names.join(", ")}; it has to be one metric, and ${LATENCY} beside it if you like.`,
    );
  for (const name of metrics) if (!(name in SELECTION_METRICS)) selectionDirection(name);
  return names.map((name) => ({
    name,
    direction: name === LATENCY ? "lower" : selectionDirection(name),
  }));
}

function oneOf(option: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) refuse(option, `is ${value}; there are: ${allowed.join(", ")}.`);
}

/** In a folder of classes the sweep would be a class. */
function refuseAmongFilms(sweep: string, data: string): void {
  const below = relative(data, sweep);
  if (below.startsWith("..") || isAbsolute(below)) return;
  refuse("out", `is ${sweep}, which lies among the films of ${data}. Choose another.`);
}

function refuse(option: string, problem: string): never {
  throw new HilumError("invalid-option", `Option ${option} ${problem}`, { option });
}

function refuseSweep(sweep: string): never {
  throw new HilumError(
    "run-exists",
    `${sweep} holds a sweep already. Go on with it: hilum tune --resume ${sweep}. Or choose another --out.`,
    { sweep },
  );
}

function closing<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return { ...resource, [Symbol.asyncDispose]: () => resource.close() };
}
