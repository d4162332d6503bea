/** One search for the best configuration: Hilum's own samplers and pruners, or another program that asks. */
import { PRUNERS, type PrunerName } from "../src/training/sweep/pruners/index.ts";
import { SAMPLERS, type SamplerName } from "../src/training/sweep/samplers/index.ts";
import type { Params, Space } from "../src/training/sweep/space.ts";
import type { Observation } from "../src/training/sweep/trial.ts";
import type { Objective } from "./tuning-objective.ts";
import { EPOCHS } from "./tuning-table.ts";

/** After a complete trial: how long the search has taken, and the least loss of complete trials so far. */
export interface Milestone {
  readonly trials: number;
  readonly seconds: number;
  readonly loss: number;
}

export interface Search {
  readonly seed: number;
  /** Ends with the first trial beyond either. */
  readonly seconds: number;
  readonly trials: number;
}

export interface Progress {
  readonly milestones: readonly Milestone[];
  readonly trials: number;
  readonly seconds: number;
}

/** What was spent and found, trial by trial. */
export function ledger({ seconds: most, trials: count }: Search) {
  const milestones: Milestone[] = [];
  let [trials, seconds, least] = [0, 0, Number.POSITIVE_INFINITY];
  return {
    isSpent: () => trials >= count || seconds >= most,
    /** `loss` is null of a trial that was stopped. */
    add(spent: number, loss: number | null) {
      trials++;
      seconds += spent;
      if (loss === null || loss >= least) return;
      least = loss;
      milestones.push({ trials, seconds, loss });
    },
    progress: (): Progress => ({ milestones, trials, seconds }),
  };
}

export function ourSearch(
  { sampler, pruner }: { readonly sampler: SamplerName; readonly pruner: PrunerName },
  space: Space,
  { curveOf }: Objective,
  search: Search,
): Progress {
  const { seed } = search;
  const book = ledger(search);
  const observations: Observation[] = [];
  for (let number = 0; !book.isSpent(); number++) {
    const params = SAMPLERS[sampler](space, observations, { seed, number }) as Params;
    const { losses, secondsPerEpoch, overhead } = curveOf(params);
    const reports: { step: number; loss: number }[] = [];
    const trial: Observation = { number, state: "running", params, losses: [], reports };
    const all = [...observations, trial];
    let isStopped = false;
    for (const [epoch, loss] of losses.entries()) {
      reports.push({ step: epoch + 1, loss });
      isStopped = PRUNERS[pruner](trial, all, { steps: EPOCHS, seed });
      if (isStopped) break;
    }
    const isComplete = !isStopped || reports.length === losses.length;
    const best = Math.min(...losses);
    observations.push({
      ...trial,
      state: isComplete ? "complete" : "pruned",
      losses: isComplete ? [best] : [],
    });
    book.add(overhead + reports.length * secondsPerEpoch, isComplete ? best : null);
  }
  return book.progress();
}
