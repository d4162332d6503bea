/** Options that are sound in themselves, but not for this task. */
import { labelsOf, type Task } from "../datasets/index.ts";
import { HilumError, nearest } from "../errors.ts";
import { evaluatePredictions, selectionDirection } from "../evaluation/index.ts";
import type { Settings } from "./options.ts";

/** The metric that chooses the best epoch where nothing is said. */
export function defaultMetric(task: Task): string {
  return task.kind === "classes" && task.positive !== null ? "auroc" : "aurocMacro";
}

/** Throws `invalid-option` for a loss, balance or metric that the task does not have. */
export function refuseUnsuited(
  { loss, balance, metric }: Settings,
  task: Task,
  ownMetrics: readonly string[],
): void {
  const isExclusive = task.kind === "classes";
  if (loss === "focal" && isExclusive && task.positive === null)
    refuse(
      { option: "loss", value: loss, allowed: ["cross-entropy"] },
      "is for two classes or for findings. Use cross-entropy with several classes",
    );
  if (balance === "sampling" && !isExclusive)
    refuse(
      { option: "balance", value: balance, allowed: ["none", "weights"] },
      "is for classes that exclude each other. Use weights with findings",
    );
  const known = metricsOf(task);
  const twice = ownMetrics.find((name) => known.includes(name));
  if (twice !== undefined)
    refuse(
      { option: "metrics", value: twice, allowed: [] },
      "is a metric of Hilum's already. Give yours another name",
    );
  const allowed = [...known, ...ownMetrics];
  if (allowed.includes(metric)) return;
  const suggestion = nearest(metric, allowed);
  refuse(
    { option: "metric", value: metric, allowed },
    `is not known for this task.${suggestion ? ` Did you mean ${suggestion}?` : ""} There are: ${allowed.join(", ")}`,
  );
}

function refuse(
  details: { option: string; value: string; allowed: readonly string[] },
  problem: string,
): never {
  const message = `Option ${details.option}: ${details.value} ${problem}.`;
  throw new HilumError("invalid-option", message, details);
}

/** Names of the metrics that choose epochs of such a task. */
function metricsOf(task: Task): string[] {
  const labels = labelsOf(task);
  const target = labels.map((_, label) => (label === 0 ? 1 : 0));
  const probabilities = labels.map(() => 1 / labels.length);
  return Object.keys(evaluatePredictions([{ target, probabilities }], task, { rounds: 0 }).metrics);
}

/** Whether more of a metric is better; of the user's own it always is. */
export function directionOf(metric: string, ownMetrics: object | undefined): "higher" | "lower" {
  return ownMetrics && metric in ownMetrics ? "higher" : selectionDirection(metric);
}
