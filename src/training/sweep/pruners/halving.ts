import type { Observation } from "../trial.ts";

export const REDUCTION = 3;

/**
 * Asynchronous successive halving: at rung r (step `REDUCTION^(first + r)`) only a third of those
 * that came there go on. Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter
 * Tuning"; Optuna 5.0, SuccessiveHalvingPruner(min_resource=1, reduction_factor=3).
 */
export function isHalved(trial: Observation, trials: readonly Observation[], first = 0): boolean {
  const last = trial.reports.at(-1);
  if (!last) return false;
  for (let rung = first; ; rung++) {
    const step = REDUCTION ** rung;
    if (last.step < step) return false;
    const reached = trial.reports.find((report) => report.step >= step)!;
    // Judged when the rung was reached.
    if (reached.step !== last.step) continue;
    if (last.loss === Number.POSITIVE_INFINITY) return true;
    const others = trials.filter(({ number }) => number !== trial.number);
    const losses = others
      .flatMap(({ reports }) => reports.find((report) => report.step >= step)?.loss ?? [])
      .concat(last.loss)
      .sort((a, b) => a - b);
    // The first ones, fewer than a third of three, go on while they are the best.
    const kept = Math.max(1, Math.floor(losses.length / REDUCTION));
    if (last.loss > losses[kept - 1]!) return true;
  }
}
