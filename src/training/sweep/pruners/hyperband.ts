import { hashPath } from "../../../random.ts";
import type { Observation } from "../trial.ts";
import { isHalved, REDUCTION } from "./halving.ts";

/** Shares of trials by bracket. Source: Li et al. 2018, Hyperband; Optuna 5.0, HyperbandPruner. */
export function bracketBudgets(steps: number): number[] {
  // A logarithm of 9 to the base 3 may come out just below 2.
  const count = Math.floor(Math.log(steps) / Math.log(REDUCTION) + 1e-9) + 1;
  return Array.from({ length: count }, (_, bracket) => {
    const s = count - 1 - bracket;
    return Math.ceil((count * REDUCTION ** s) / (s + 1));
  });
}

/** The bracket of a trial: drawn by the budgets from seed and number. */
export function bracketOf(number: number, steps: number, seed: number): number {
  const budgets = bracketBudgets(steps);
  const total = budgets.reduce((a, b) => a + b, 0);
  let rest = hashPath(seed, "sweep", "bracket", number) % total;
  for (const [bracket, budget] of budgets.entries()) {
    rest -= budget;
    if (rest < 0) return bracket;
  }
  return budgets.length - 1;
}

/** Successive halving within the trial's bracket, whose first rung is the later the higher it is. */
export function isOutOfBand(
  trial: Observation,
  trials: readonly Observation[],
  { steps, seed }: { readonly steps: number; readonly seed: number },
): boolean {
  const bracket = bracketOf(trial.number, steps, seed);
  const peers = trials.filter(({ number }) => bracketOf(number, steps, seed) === bracket);
  return isHalved(trial, peers, bracket);
}
