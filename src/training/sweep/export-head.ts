/** The model of a head that a sweep tried: trials of heads leave their weights and curves only. */
import { setTimeout as pause } from "node:timers/promises";
import type { Dataset } from "../../datasets/index.ts";
import { isHilumError } from "../../errors.ts";
import { runFolder } from "../run-folder.ts";
import { train } from "../train.ts";
import type { SweepConfig } from "./config.ts";
import type { SweepResult } from "./result.ts";
import { trialFolder } from "./sweep-folder.ts";
import { trialOptions } from "./trial-options.ts";
import type { WorkContext } from "./work.ts";

const WAIT_MS = 300;

/** Goes on with the best trial's runs to their end, which is near: the head is found. */
export async function exportBest(
  sweep: string,
  config: SweepConfig,
  dataset: Dataset,
  best: NonNullable<SweepResult["best"]>,
  { signal, cacheFolder, onEvent }: WorkContext,
): Promise<void> {
  if (config.folds !== null) return;
  const out = trialFolder(sweep, best.number);
  while (runFolder(out).state() !== "finished")
    try {
      await train(dataset, trialOptions(config, best.params), {
        out,
        isResumed: true,
        cacheFolder,
        signal,
        onEvent: (event) => onEvent?.({ kind: "training", number: best.number, event }),
      });
    } catch (error) {
      // Another worker of the sweep does the same.
      if (!isHilumError(error) || error.code !== "folder-locked") throw error;
      await pause(WAIT_MS, undefined, { signal });
    }
}
