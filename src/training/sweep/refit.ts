/** The winner, trained once more. */
import { join } from "node:path";
import { HilumError } from "../../errors.ts";
import { train } from "../train.ts";
import type { SweepConfig } from "./config.ts";
import type { SweepResult } from "./result.ts";
import { SWEEP_FILES } from "./sweep-folder.ts";
import { trialOptions } from "./trial-options.ts";
import type { WorkContext } from "./work.ts";

/**
 * Share of the patients that choose the epoch and the operating point: the others, all folds' data
 * alike, train.
 */
const CHOOSING = 0.05;

/** Trains the best configuration into the sweep's folder `refit`; a finished one is left alone. */
export async function refit(
  sweep: string,
  config: SweepConfig,
  { best }: SweepResult,
  { signal, cacheFolder, onEvent }: WorkContext,
): Promise<void> {
  if (!best)
    throw new HilumError(
      "run-unfinished",
      `No trial of ${sweep} was complete, so nothing is refitted.`,
      {
        sweep,
      },
    );
  await train(
    config.data,
    { ...trialOptions(config, best.params), valFraction: CHOOSING },
    {
      out: join(sweep, SWEEP_FILES.refit),
      isResumed: true,
      cacheFolder,
      signal,
      onEvent: (event) => onEvent?.({ kind: "training", number: best.number, event }),
    },
  );
}
