/** What a worker does next: first what a dead one left, then something new while there is budget. */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { isAlive, thisProcess } from "../../folder-lock.node.ts";
import type { SweepConfig } from "./config.ts";
import { SAMPLERS } from "./samplers/index.ts";
import type { Params } from "./space.ts";
import type { Decision, SweepView, TrialRecord, Worker, WorkerRecord } from "./store.ts";
import { observed } from "./trial.ts";

/** A worker of another machine that was not heard of for so long is dead; ours are asked. */
const SILENCE_MS = 120_000;
/** A trial that took so many workers with it is not tried again. */
const MOST_ATTEMPTS = 5;

/** This process as a worker. */
export function newWorker(): Worker {
  return { id: randomBytes(8).toString("hex"), host: hostname(), ...thisProcess() };
}

/** The decision of `worker` on what it sees at `now` (milliseconds since 1970). */
export function decide(
  config: SweepConfig,
  { trials, workers }: SweepView,
  worker: Worker,
  now = Date.now(),
): Decision {
  const alive = new Set(
    workers.filter((other) => isAtWork(other, worker, now)).map(({ id }) => id),
  );
  const running = trials.filter(({ state }) => state === "running");
  const left = running.find(({ worker: owner }) => owner === null || !alive.has(owner));
  if (left) return afterDeath(left);
  const number = trials.length;
  const params = isSpent(config, { trials, workers }) ? undefined : nextParams(config, trials);
  if (params) return { kind: "begin", number, params };
  return { kind: running.length > 0 ? "wait" : "over" };
}

function isAtWork(other: WorkerRecord, self: Worker, now: number): boolean {
  if (other.id === self.id) return true;
  return other.host === self.host ? isAlive(other) : now - other.seen < SILENCE_MS;
}

function afterDeath({ number, attempts, worker }: TrialRecord): Decision {
  // Where nobody has it, its worker stopped in good order.
  if (worker === null || attempts < MOST_ATTEMPTS) return { kind: "take over", number };
  const error = `${attempts} workers ended while they worked on it`;
  return { kind: "give up", number, error };
}

function nextParams(config: SweepConfig, trials: readonly TrialRecord[]): Params | undefined {
  const { space, sampler, seed, first, objectives } = config;
  const number = trials.length;
  // What is known to work comes first, so that the best is no worse than it.
  if (number === 0 && first) return first;
  const observations = trials.map((trial) => observed(trial, objectives));
  return SAMPLERS[sampler](space, observations, { seed, number });
}

/** Whether the budget allows no further trial. */
export function isSpent({ budget }: SweepConfig, view: SweepView): boolean {
  const { trials, seconds, images } = budget;
  return (
    (trials !== null && view.trials.length >= trials) ||
    (images !== null && imagesOf(view.trials) >= images) ||
    (seconds !== null && workedSeconds(view.workers) >= seconds)
  );
}

/** Films that all trials trained on so far. */
export function imagesOf(trials: readonly TrialRecord[]): number {
  return trials.reduce((sum, { reports }) => sum + (reports.at(-1)?.images ?? 0), 0);
}

/** Time in which at least one worker was at work. */
export function workedSeconds(workers: readonly Pick<WorkerRecord, "begun" | "seen">[]): number {
  let total = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { begun, seen } of [...workers].sort((a, b) => a.begun - b.begun)) {
    total += Math.max(0, seen - Math.max(begun, until));
    until = Math.max(until, seen);
  }
  return total / 1000;
}
