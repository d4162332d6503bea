/** Training that an MLflow server is told of, beside the work: it never waits for the server. */
import { isHilumError } from "../../errors.ts";
import type { OnTrainEvent } from "../events.ts";
import type { FoldsResult } from "../folds.ts";
import { type RunFolder, type RunResult, runFolder } from "../run-folder.ts";
import { addressOf } from "./address.ts";
import { callsTo } from "./call.ts";
import { reopen, type Status, sendRun, type Target } from "./send.ts";

export interface MlflowOptions {
  /** The server's address; user and password may be in it, and are never repeated. */
  readonly url: string;
  /** Made where there is none: `hilum` by default. */
  readonly experiment?: string | undefined;
  /** Gets a line when the server is first not to be had, and one where something stays unsent. */
  readonly onWarning: (line: string) => void;
  /** Longest wait for the server when the work is done; 10 s by default. */
  readonly patienceMs?: number | undefined;
}

export const MLFLOW_EXPERIMENT = "hilum";
export const PATIENCE_MS = 10_000;

/**
 * Does the work with a listener for its events, and keeps an MLflow run for each run that it trains:
 * settings, metrics by epoch, how it ended. A resumed run goes on in the MLflow run it had. What
 * goes wrong there is a warning. Throws what the work throws, and before it `invalid-option`.
 *
 * @example
 * await withMlflow({ url: "http://127.0.0.1:5000", onWarning: console.warn }, (onEvent) =>
 *   train("chest_xray", { model: "cnn" }, { out: "runs/cnn", onEvent }),
 * );
 */
export async function withMlflow<T extends RunResult | FoldsResult>(
  options: MlflowOptions,
  work: (onEvent: OnTrainEvent) => Promise<T>,
): Promise<T> {
  const tracker = openTracker(options);
  try {
    const result = await work(tracker.onEvent);
    await tracker.close("FINISHED", "folds" in result ? result.folds : [result]);
    return result;
  } catch (error) {
    const isKilled = isHilumError(error) && error.code === "interrupted";
    await tracker.close(isKilled ? "KILLED" : "FAILED", []);
    throw error;
  }
}

interface Tracked {
  readonly folder: RunFolder;
  status: Status;
  /** Whether the server was told that it runs, again. */
  isOpen: boolean;
  isUpToDate: boolean;
}

function openTracker({
  url,
  experiment = MLFLOW_EXPERIMENT,
  onWarning,
  patienceMs = PATIENCE_MS,
}: MlflowOptions) {
  const address = addressOf(url);
  const stop = new AbortController();
  const target: Target = { call: callsTo(address, stop.signal), server: address.url, experiment };
  const runs = new Map<string, Tracked>();
  let sending: Promise<void> | undefined;
  let isWarned = false;

  const track = (path: string): Tracked => {
    const known = runs.get(path);
    if (known) return known;
    const run: Tracked = {
      folder: runFolder(path),
      status: "RUNNING",
      isOpen: false,
      isUpToDate: false,
    };
    runs.set(path, run);
    return run;
  };

  /** What is new, run by run, until nothing is; throws where the server does not take it. */
  const sendAll = async () => {
    for (;;) {
      const run = [...runs.values()].find(({ isUpToDate }) => !isUpToDate);
      if (!run) return;
      run.isUpToDate = true;
      try {
        if (!run.isOpen) await reopen(target, run.folder);
        run.isOpen = true;
        await sendRun(target, run.folder, run.status);
      } catch (error) {
        run.isUpToDate = false;
        throw error;
      }
    }
  };
  const warn = (error: unknown) => {
    if (isWarned) return;
    isWarned = true;
    onWarning(
      `warning: MLflow at ${address.url}: ${(error as Error).message}. Training goes on; what it lacks is sent later.`,
    );
  };
  /** One at a time: a slow server gets the more at once. */
  const wake = () => {
    sending ??= sendAll()
      .catch(warn)
      .finally(() => {
        sending = undefined;
      });
  };
  let current: Tracked | undefined;

  const onEvent: OnTrainEvent = (event) => {
    if (event.kind === "started") current = track(event.run);
    else if (event.kind === "finished" && current) current.status = "FINISHED";
    else if (event.kind !== "epoch") return;
    if (current) current.isUpToDate = false;
    wake();
  };

  return {
    onEvent,
    async close(status: Status, results: readonly RunResult[]): Promise<void> {
      const deadline = setTimeout(() => stop.abort(), patienceMs);
      await sending;
      // A run that was finished before may lack something at the server.
      for (const { run } of results) track(run).status = "FINISHED";
      if (current && current.status === "RUNNING") current.status = status;
      for (const run of runs.values()) run.isUpToDate = false;
      try {
        await sendAll();
      } catch (error) {
        const advice =
          status === "FAILED" ? "" : " Send the rest by the same command with --resume.";
        onWarning(
          `warning: MLflow at ${address.url} lacks a part of this run: ${(error as Error).message}.${advice}`,
        );
      } finally {
        clearTimeout(deadline);
      }
    },
  };
}
