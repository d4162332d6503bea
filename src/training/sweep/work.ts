/** A worker: takes trials one after another until the sweep is over. Any number may work at once. */
import type { Dataset } from "../../datasets/index.ts";
import { HilumError, isHilumError } from "../../errors.ts";
import type { TrainEvent } from "../events.ts";
import { decide, imagesOf, newWorker, workedSeconds } from "./claim.ts";
import type { SweepConfig } from "./config.ts";
import { type HeadBench, openHeadBench } from "./head-bench.ts";
import { PRUNERS } from "./pruners/index.ts";
import type { Params } from "./space.ts";
import type { Outcome, SweepStore, TrialRecord, Worker } from "./store.ts";
import { observed } from "./trial.ts";
import { runTrial } from "./trial-run.ts";

export type SweepEvent =
  | {
      readonly kind: "trial";
      readonly number: number;
      readonly params: Params;
      readonly isTakenOver: boolean;
    }
  | { readonly kind: "training"; readonly number: number; readonly event: TrainEvent }
  | {
      readonly kind: "ended";
      readonly number: number;
      readonly outcome: Outcome;
      readonly seconds: number;
      readonly last: number | null;
    }
  | { readonly kind: "waiting" };

export interface WorkContext {
  readonly signal?: AbortSignal | undefined;
  readonly cacheFolder?: string | undefined;
  readonly onEvent?: ((event: SweepEvent) => void) | undefined;
}

const BEAT_MS = 2000;
const WAIT_MS = 300;
/** A timer may fire a little early, and the next trial would begin for nothing. */
const SLACK_MS = 50;

interface Workplace extends WorkContext {
  readonly sweep: string;
  readonly store: SweepStore;
  readonly worker: Worker;
  readonly dataset: Dataset;
  readonly bench: HeadBench;
}

/**
 * Works on the sweep until nothing is left to do, and no other worker may leave anything. Throws
 * `interrupted` once the signal aborts and the step under way is saved, and what `train` throws but
 * for a trial that diverges.
 */
export async function workOn(
  sweep: string,
  store: SweepStore,
  dataset: Dataset,
  context: WorkContext,
): Promise<void> {
  const worker = newWorker();
  const bench = openHeadBench(dataset, context);
  const place: Workplace = { ...context, sweep, store, worker, dataset, bench };
  const beats = setInterval(() => store.beat(worker).catch(() => undefined), BEAT_MS);
  try {
    while (await workOnce(place)) {}
  } finally {
    clearInterval(beats);
    await bench.close();
    await store.beat(worker);
  }
}

export async function configOf(store: SweepStore, sweep: string): Promise<SweepConfig> {
  const config = await store.config();
  if (config?.format === 1) return config;
  throw new HilumError(
    "run-damaged",
    `${sweep} has a store, but it does not say what the sweep is. Tune into another folder.`,
    { path: sweep },
  );
}

/** Returns whether there may be more to do. */
async function workOnce(place: Workplace): Promise<boolean> {
  const { store, worker, signal, sweep, onEvent } = place;
  // Read anew each time: the budget may have been raised.
  const config = await configOf(store, sweep);
  if (signal?.aborted) refuseToGoOn(sweep);
  const decision = await store.claim(worker, (view) => decide(config, view, worker));
  if (decision.kind === "over") return false;
  if (decision.kind === "wait") {
    onEvent?.({ kind: "waiting" });
    await pause(WAIT_MS, signal);
  } else if (decision.kind !== "give up") {
    const trial = (await store.trials())[decision.number]!;
    onEvent?.({
      kind: "trial",
      number: trial.number,
      params: trial.params,
      isTakenOver: decision.kind === "take over",
    });
    await workOnTrial(place, config, trial);
  }
  return true;
}

async function workOnTrial(
  place: Workplace,
  config: SweepConfig,
  trial: TrialRecord,
): Promise<void> {
  const { store, worker, sweep, dataset, bench, signal, onEvent, cacheFolder } = place;
  const { number, params } = trial;
  const begun = performance.now();
  const seconds = () => trial.seconds + (performance.now() - begun) / 1000;
  const stop = new AbortController();
  const deadline = await deadlineOf(config, store, () => stop.abort());
  let outcome: Outcome | undefined;
  try {
    const isDecided =
      trial.reports.length > 0 && (await isPruned(config, await store.trials(), number));
    outcome = isDecided
      ? { state: "pruned", values: [], error: null }
      : await runTrial(
          { sweep, config, dataset, bench, number, params, reports: trial.reports },
          {
            cacheFolder,
            signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
            onEvent: (event) => onEvent?.({ kind: "training", number, event }),
            async isToStop(report) {
              // Another worker took this one for dead, and has the trial now.
              if (!(await store.report(worker, number, report, seconds()))) return true;
              const trials = await store.trials();
              const isOver =
                config.budget.images !== null && imagesOf(trials) >= config.budget.images;
              return isOver || isPruned(config, trials, number);
            },
          },
        );
  } catch (error) {
    const isDeadline = stop.signal.aborted && !signal?.aborted && isInterruption(error);
    if (isDeadline) outcome = { state: "pruned", values: [], error: null };
    else if (signal?.aborted && isInterruption(error)) refuseToGoOn(sweep, number);
    else throw error;
  } finally {
    clearTimeout(deadline);
    if (!outcome) await store.release(worker, number, seconds());
  }
  await store.end(worker, number, outcome, seconds());
  const last = (await store.trials())[number]?.reports.at(-1)?.value ?? null;
  onEvent?.({ kind: "ended", number, outcome, seconds: seconds(), last });
}

/** Several objectives have no order in which one could be behind. */
async function isPruned(
  { pruner, objectives, steps, seed }: SweepConfig,
  trials: readonly TrialRecord[],
  number: number,
): Promise<boolean> {
  if (objectives.length > 1) return false;
  const observations = trials.map((trial) => observed(trial, objectives));
  return PRUNERS[pruner](observations[number]!, observations, { steps, seed });
}

/** A timer that ends the trial with the sweep's time; undefined where there is no such bound. */
async function deadlineOf(
  { budget }: SweepConfig,
  store: SweepStore,
  act: () => void,
): Promise<ReturnType<typeof setTimeout> | undefined> {
  if (budget.seconds === null) return undefined;
  const left = budget.seconds - workedSeconds(await store.workers());
  return setTimeout(act, Math.min(2 ** 31 - 1, Math.max(0, left * 1000) + SLACK_MS));
}

const isInterruption = (error: unknown): boolean =>
  isHilumError(error) && error.code === "interrupted";

function refuseToGoOn(sweep: string, number?: number): never {
  const where = number === undefined ? "" : ` in trial ${number}`;
  throw new HilumError(
    "interrupted",
    `Stopped${where}; everything is saved. Go on: hilum tune --resume ${sweep}`,
    { sweep, trial: number },
  );
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
