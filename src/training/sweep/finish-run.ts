/** A run of the sweep that is trained to its end, by this worker or by another. */
import { setTimeout as pause } from "node:timers/promises";
import type { Dataset } from "../../datasets/index.ts";
import { isHilumError } from "../../errors.ts";
import type { OnTrainEvent } from "../events.ts";
import type { TrainOptions } from "../options.ts";
import { runFolder } from "../run-folder.ts";
import { trainOn } from "../train.ts";

const WAIT_MS = 300;

export interface FinishContext {
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly cacheFolder?: string | undefined;
  readonly onEvent?: OnTrainEvent | undefined;
}

/** Trains from where the folder stands, be it nowhere; a finished run is left alone. Throws as `train`. */
export async function finishRun(
  dataset: Dataset,
  options: TrainOptions,
  context: FinishContext,
): Promise<void> {
  while (runFolder(context.out).state() !== "finished")
    try {
      await trainOn(dataset, options, { ...context, isResumed: true });
    } catch (error) {
      // Another worker of the sweep does the same.
      if (!isHilumError(error) || error.code !== "folder-locked") throw error;
      await pause(WAIT_MS, undefined, { signal: context.signal });
    }
}
