/** Which epoch is the best: metrics of validation, and how one holds against the best so far. */
import type { Task } from "../datasets/index.ts";
import { evaluatePredictions, isBetter, type Prediction } from "../evaluation/index.ts";
import type { EpochRecord } from "./checkpoint.ts";
import type { TrainContext } from "./context.ts";

/** Without a metric that is defined nothing chooses: the last epoch then counts as the best. */
export function isBestYet(
  value: number | null,
  best: { readonly value: number | null } | null,
  direction: "higher" | "lower",
): boolean {
  if (best === null || best.value === null) return true;
  return value !== null && isBetter(value, best.value, direction);
}

/** At a threshold of 0.5; the caller's own metrics among them. */
export function metricsOf(
  predictions: readonly Prediction[],
  task: Task,
  ownMetrics: TrainContext["metrics"],
): EpochRecord["metrics"] {
  const { metrics } = evaluatePredictions(predictions, task, { rounds: 0 });
  const values = Object.entries(metrics).map(([key, { value }]) => [key, value] as const);
  const own = Object.entries(ownMetrics ?? {}).map(
    ([key, compute]) => [key, finiteOrNull(compute(predictions))] as const,
  );
  return Object.fromEntries([...values, ...own]);
}

/** JSON knows no others: a resumed run has to find what it left. */
function finiteOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}
