/** The same metrics for parts of the films, by any column. */
import { labelsOf, type Task } from "../../datasets/index.portable.ts";
import { type EvaluateOptions, type Evaluation, evaluatePredictions } from "../evaluation.ts";
import { type Prediction, positiveOf } from "../prediction.ts";
import { groupsOf } from "./groups.ts";

export interface Subgroup {
  readonly column: string;
  readonly group: string;
  readonly n: number;
  /** Fewer than SMALL_GROUP films, or than SMALL_CLASS of a class that it has: shown, but never named as the worst. */
  readonly isSmall: boolean;
  readonly evaluation: Evaluation;
}

export interface Subgroups {
  readonly groups: readonly Subgroup[];
  /** The metric that names the worst group. */
  readonly metric: string;
  /** The group with the lowest value among those that are not small; null where there are not two. */
  readonly worst: Subgroup | null;
}

export const SMALL_GROUP = 20;
export const SMALL_CLASS = 5;

export interface SubgroupOptions extends EvaluateOptions {
  /** By default the area under the ROC curve, or its macro average. */
  readonly metric?: string | undefined;
}

/**
 * Every group of every column with its intervals, the worst one named. `columns` hold a text for each
 * prediction, "" where it is not known; columns of many numbers are cut into thirds. Throws what
 * evaluatePredictions throws.
 */
export function evaluateSubgroups(
  predictions: readonly Prediction[],
  task: Task,
  columns: Readonly<Record<string, readonly string[]>>,
  { metric, patients, ...options }: SubgroupOptions = {},
): Subgroups {
  const key = metric ?? (positiveOf(task) === null ? "aurocMacro" : "auroc");
  const groups = Object.entries(columns).flatMap(([column, values]) =>
    groupsOf(values).map(({ name, films }): Subgroup => {
      const part = films.map((film) => predictions[film]!);
      const evaluation = evaluatePredictions(part, task, {
        ...options,
        patients: patients && films.map((film) => patients[film]!),
      });
      const isSmall = part.length < SMALL_GROUP || smallestClass(part, task) < SMALL_CLASS;
      return { column, group: name, n: part.length, isSmall, evaluation };
    }),
  );
  const judgedBy = ({ evaluation }: Subgroup) => evaluation.metrics[key]?.value ?? null;
  const judged = groups.filter((group) => !group.isSmall && judgedBy(group) !== null);
  const worst = judged.toSorted((a, b) => judgedBy(a)! - judgedBy(b)!)[0];
  return { groups, metric: key, worst: judged.length > 1 ? worst! : null };
}

/** Films of the rarest class or finding among those that are there: a group may be of one class. */
function smallestClass(predictions: readonly Prediction[], task: Task): number {
  const counts = labelsOf(task)
    .map((_, label) => predictions.filter(({ target }) => target[label] === 1).length)
    .filter((count) => count > 0);
  return Math.min(predictions.length, ...counts);
}
