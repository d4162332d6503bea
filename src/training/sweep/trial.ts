/** One configuration and what came of it. */
import { metricObjective } from "./config.ts";
import type { Params } from "./space.ts";

export type TrialState = "running" | "complete" | "pruned" | "failed";

/** The objective as it stood after a step (an epoch, or a fold) of a trial. */
export interface Report {
  /** From 1. */
  readonly step: number;
  readonly value: number | null;
  /** Films trained on so far, repeats included. */
  readonly images: number;
}

export interface Trial {
  /** From 0. */
  readonly number: number;
  readonly state: TrialState;
  readonly params: Params;
  /** One for each objective; empty unless the trial is complete. */
  readonly values: readonly (number | null)[];
  readonly reports: readonly Report[];
  /** At work, by all workers that had it. */
  readonly seconds: number;
  /** Why it failed. */
  readonly error: string | null;
}

export type Direction = "higher" | "lower";

/** What samplers and pruners see: everything is a loss, and what is not defined is the worst. */
export interface Observation {
  readonly number: number;
  readonly state: TrialState;
  readonly params: Params;
  readonly losses: readonly number[];
  /** In the order of their steps. */
  readonly reports: readonly { readonly step: number; readonly loss: number }[];
}

const WORST = Number.POSITIVE_INFINITY;

/** A value as a loss: less is better. */
export function lossOf(value: number | null | undefined, direction: Direction): number {
  if (value === null || value === undefined) return WORST;
  return direction === "lower" ? value : -value;
}

/** A trial as samplers and pruners see it. */
export function observed(
  trial: Trial,
  objectives: readonly { readonly name: string; readonly direction: Direction }[],
): Observation {
  // Reports are of the metric, whichever objective is named first.
  const reported = metricObjective(objectives).direction;
  return {
    number: trial.number,
    state: trial.state,
    params: trial.params,
    losses: trial.values.map((value, index) => lossOf(value, objectives[index]!.direction)),
    reports: trial.reports.map(({ step, value }) => ({
      step,
      loss: lossOf(value, reported),
    })),
  };
}
