import type { Observation } from "../trial.ts";

const STARTUP_TRIALS = 5;

/**
 * Whether the best so far is worse than the median of complete trials at the same step. Source:
 * Golovin et al. 2017, Google Vizier, 3.2.2; Optuna 5.0, MedianPruner with its defaults.
 */
export function isBelowMedian(trial: Observation, trials: readonly Observation[]): boolean {
  const complete = trials.filter(({ state }) => state === "complete");
  const last = trial.reports.at(-1);
  if (!last || complete.length < STARTUP_TRIALS) return false;
  const losses = complete
    .flatMap(({ reports }) => reports.filter(({ step }) => step === last.step))
    .map(({ loss }) => loss)
    .sort((a, b) => a - b);
  if (losses.length === 0) return false;
  const middle = (losses.length - 1) / 2;
  const median = (losses[Math.floor(middle)]! + losses[Math.ceil(middle)]!) / 2;
  const best = Math.min(...trial.reports.map(({ loss }) => loss));
  return best === Number.POSITIVE_INFINITY || best > median;
}
