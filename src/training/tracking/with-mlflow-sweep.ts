/** A sweep that an MLflow server is told of: a run for itself, and below it one for each trial. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isHilumError } from "../../errors.ts";
import { runFolder } from "../run-folder.ts";
import type { SweepResult } from "../sweep/result.ts";
import { trialFolder } from "../sweep/sweep-folder.ts";
import type { SweepEvent } from "../sweep/work.ts";
import { addressOf } from "./address.ts";
import { callsTo } from "./call.ts";
import { metricsOf, sweepIdentity } from "./entries.ts";
import { endRun, openedRun, type Status, sendRun, type Target } from "./send.ts";
import { MLFLOW_EXPERIMENT, type MlflowOptions, PATIENCE_MS } from "./with-mlflow.ts";

/** How a trial ended, as MLflow says it. */
const STATUSES = { complete: "FINISHED", pruned: "KILLED", failed: "FAILED" } as const;

interface Ended {
  readonly state: keyof typeof STATUSES;
  readonly value: number | null;
}

/**
 * Does the work with a listener for its events, and keeps a run for the sweep with a run for each of its
 * trials that has ended, those of other workers at the end. A resumed sweep goes on in the run it had.
 * What goes wrong there is a warning. Throws what the work throws, and before it `invalid-option`.
 */
export async function withMlflowSweep(
  { url, experiment = MLFLOW_EXPERIMENT, onWarning, patienceMs = PATIENCE_MS }: MlflowOptions,
  sweep: string,
  work: (onEvent: (event: SweepEvent) => void) => Promise<SweepResult>,
): Promise<SweepResult> {
  const address = addressOf(url);
  const stop = new AbortController();
  const target: Target = { call: callsTo(address, stop.signal), server: address.url, experiment };
  const waiting = new Map<number, Ended>();
  let sending: Promise<void> | undefined;
  let isWarned = false;
  let parent: string | undefined;

  const sendAll = async () => {
    for (;;) {
      const [next] = waiting;
      if (!next) return;
      const [number, { state, value }] = next;
      for (const folder of runsOf(trialFolder(sweep, number))) {
        parent ??= await openedRun(target, runFolder(sweep), sweepIdentity(folder));
        const at = { step: number, timestamp: Date.now() };
        await sendRun({ ...target, parent }, folder, STATUSES[state], {
          isFinal: true,
          metrics: metricsOf({ objective: value }, at),
        });
      }
      waiting.delete(number);
    }
  };
  const wake = () => {
    sending ??= sendAll()
      .catch((error: unknown) => {
        if (isWarned) return;
        isWarned = true;
        onWarning(
          `warning: MLflow at ${address.url}: ${(error as Error).message}. The sweep goes on; what it lacks is sent later.`,
        );
      })
      .finally(() => {
        sending = undefined;
      });
  };
  const close = async (status: Status, result?: SweepResult) => {
    const deadline = setTimeout(() => stop.abort(), patienceMs);
    await sending;
    for (const { number, state, value } of result?.trials ?? [])
      waiting.set(number, { state, value });
    try {
      await sendAll();
      const at = { step: result?.best?.number ?? 0, timestamp: Date.now() };
      await endRun(
        target,
        runFolder(sweep),
        status,
        metricsOf(result?.best?.values ?? {}, at, "best/"),
      );
    } catch (error) {
      onWarning(
        `warning: MLflow at ${address.url} lacks a part of this sweep: ${(error as Error).message}. Send the rest by hilum tune --resume with --mlflow.`,
      );
    } finally {
      clearTimeout(deadline);
    }
  };

  try {
    const result = await work((event) => {
      if (event.kind !== "ended") return;
      const { number, outcome, last } = event;
      waiting.set(number, { state: outcome.state, value: outcome.values[0] ?? last });
      wake();
    });
    await close("FINISHED", result);
    return result;
  } catch (error) {
    await close(isHilumError(error) && error.code === "interrupted" ? "KILLED" : "FAILED");
    throw error;
  }
}

/** A trial is one run, or one for each fold that it came to. */
function runsOf(trial: string) {
  if (runFolder(trial).state() !== "absent") return [runFolder(trial)];
  const folds = [];
  for (let fold = 1; existsSync(join(trial, `fold-${fold}`)); fold++)
    folds.push(runFolder(join(trial, `fold-${fold}`)));
  return folds;
}
