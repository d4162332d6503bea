/** What is where in a sweep's folder. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HilumError } from "../../errors.ts";
import type { Prediction } from "../../evaluation/index.ts";

const STORE = "sweep.db";
export const SWEEP_FILES = {
  store: STORE,
  /** The result, for those who do not open the store. */
  result: "sweep.json",
  plots: "plots",
  refit: "refit",
  /** The recipe's run, where no trial is one. */
  recipe: "recipe",
  /** Films that no trial sees, and what runs say of them. */
  holdout: "holdout.jsonl",
  heldOut: "holdout",
} as const;

export const storeFile = (sweep: string): string => join(sweep, STORE);
export const isSweep = (folder: string): boolean => existsSync(storeFile(folder));

/** The folder of a trial's run, or with folds of its runs. */
export function trialFolder(sweep: string, number: number): string {
  return join(sweep, "trials", String(number).padStart(4, "0"));
}

/** What the best epoch of a trial (and fold) predicted on validation. */
export function predictionsFile(sweep: string, number: number, fold: number | null): string {
  const name = String(number).padStart(4, "0");
  return join(sweep, "predictions", `${name}${fold === null ? "" : `-${fold}`}.json`);
}

/** Targets, probabilities and patients, alike in order. */
export interface SavedPredictions {
  readonly predictions: readonly Prediction[];
  readonly patients: readonly string[];
}

export function readPredictions(
  sweep: string,
  number: number,
  folds: number | null,
): SavedPredictions | undefined {
  const parts = folds === null ? [null] : Array.from({ length: folds }, (_, fold) => fold + 1);
  const files = parts.map((fold) => predictionsFile(sweep, number, fold));
  if (!files.every((path) => existsSync(path))) return undefined;
  const read = files.map((path) => JSON.parse(readFileSync(path, "utf8")) as SavedPredictions);
  return {
    predictions: read.flatMap(({ predictions }) => predictions),
    patients: read.flatMap(({ patients }) => patients),
  };
}

/** Throws `file-not-found` where the folder holds no sweep. */
export function refuseNoSweep(folder: string): void {
  if (isSweep(folder)) return;
  throw new HilumError(
    "file-not-found",
    `There is no sweep in ${folder}. Begin one: hilum tune DIR --out ${folder}`,
    { path: folder },
  );
}
