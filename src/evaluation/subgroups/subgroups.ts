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
  /** Key of the metric by which the groups of its column are compared. */
  readonly metric: string;
  readonly evaluation: Evaluation;
}

/** By what the groups of a column are compared. */
export interface ComparedColumn {
  readonly column: string;
  readonly metric: string;
  /** The metric that would be taken first, and why it is not; null where it is. */
  readonly insteadOf: {
    readonly metric: string;
    /** Groups that do not define it. */
    readonly groups: readonly string[];
    readonly reason: string;
  } | null;
}

export interface Subgroups {
  readonly groups: readonly Subgroup[];
  readonly columns: readonly ComparedColumn[];
  /**
   * The group that falls furthest below all films by its column's metric, among those that are not
   * small; null where there are not two.
   */
  readonly worst: Subgroup | null;
}

export const SMALL_GROUP = 20;
export const SMALL_CLASS = 5;

/** The first that all large groups of a column define is taken: those of one class have no area. */
const METRICS = {
  positive: ["auroc", "sensitivity", "specificity", "accuracy"],
  other: ["aurocMacro", "accuracy"],
} as const;

export interface SubgroupOptions extends EvaluateOptions {
  /** By default the area under the ROC curve, or its macro average, where a column's groups define it. */
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
  const ranked = metric ? [metric] : METRICS[positiveOf(task) === null ? "other" : "positive"];
  const parts = Object.entries(columns).map(([column, values]) => {
    const groups = groupsOf(values).map(({ name, films }) => {
      const part = films.map((film) => predictions[film]!);
      const evaluation = evaluatePredictions(part, task, {
        ...options,
        patients: patients && films.map((film) => patients[film]!),
      });
      const isSmall = part.length < SMALL_GROUP || smallestClass(part, task) < SMALL_CLASS;
      return { column, group: name, n: part.length, isSmall, evaluation };
    });
    const compared = comparedBy(column, groups, ranked);
    return { compared, groups: groups.map((group) => ({ ...group, metric: compared.metric })) };
  });
  const groups = parts.flatMap((part): readonly Subgroup[] => part.groups);
  return {
    groups,
    columns: parts.map(({ compared }) => compared),
    worst: worstOf(groups, evaluatePredictions(predictions, task, { ...options, rounds: 0 })),
  };
}

function comparedBy(
  column: string,
  groups: readonly Omit<Subgroup, "metric">[],
  ranked: readonly string[],
): ComparedColumn {
  const large = groups.filter(({ isSmall }) => !isSmall);
  const judged = large.length > 0 ? large : groups;
  const lacking = (key: string) =>
    judged.filter(({ evaluation }) => (evaluation.metrics[key]?.value ?? null) === null);
  const first = ranked[0]!;
  const metric = ranked.find((key) => lacking(key).length === 0) ?? first;
  const without = lacking(first);
  if (metric === first || without.length === 0) return { column, metric, insteadOf: null };
  const reason = without[0]!.evaluation.metrics[first]?.reason ?? "not defined";
  const names = without.map(({ group }) => group);
  return { column, metric, insteadOf: { metric: first, groups: names, reason } };
}

function worstOf(groups: readonly Subgroup[], all: Evaluation): Subgroup | null {
  const shortfalls = groups.flatMap((group) => {
    const here = group.evaluation.metrics[group.metric]?.value ?? null;
    const there = all.metrics[group.metric]?.value ?? null;
    return group.isSmall || here === null || there === null ? [] : [{ group, by: there - here }];
  });
  if (shortfalls.length < 2) return null;
  return shortfalls.toSorted((a, b) => b.by - a.by)[0]!.group;
}

/** Films of the rarest class or finding among those that are there: a group may be of one class. */
function smallestClass(predictions: readonly Prediction[], task: Task): number {
  const counts = labelsOf(task)
    .map((_, label) => predictions.filter(({ target }) => target[label] === 1).length)
    .filter((count) => count > 0);
  return Math.min(predictions.length, ...counts);
}
