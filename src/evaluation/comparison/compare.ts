/** Models held against one another on the same films. */
import type { Task } from "../../datasets/index.portable.ts";
import { HilumError } from "../../errors.ts";
import { bootstrapInterval, type Resampled, resample } from "../intervals/bootstrap.ts";
import { type Clusters, clustersOf } from "../intervals/clusters.ts";
import { type IntervalOptions, intervalSettings } from "../intervals/settings.ts";
import { decisionOf, measure } from "../measured-tasks.ts";
import type { MetricValue } from "../metric-values.ts";
import { columnOf, DEFAULT_THRESHOLD, type Prediction } from "../prediction.ts";
import { unitWeights } from "../sorted-scores.ts";
import { delongTest } from "./delong-test.ts";
import { holm } from "./holm.ts";
import { mcnemarOf } from "./mcnemar.ts";

export interface ComparedModel {
  readonly name: string;
  /** Of the same films, in the same order, as those of the other models. */
  readonly predictions: readonly Prediction[];
  readonly threshold?: number | undefined;
}

/** The first model less the second. */
export interface MetricDifference extends MetricValue {
  /** Two-sided, from the bootstrap: how often a difference of 0 is passed; null without rounds. */
  readonly p: number | null;
}

export interface PairedTest {
  readonly metric: "auroc" | "aurocMacro" | "accuracy";
  readonly method: "delong" | "mcnemar-mid-p" | "bootstrap" | "cluster-bootstrap";
  readonly p: number;
  /** By Holm, over all pairs of models. */
  readonly correctedP: number;
}

export interface ModelPair {
  readonly first: string;
  readonly second: string;
  readonly differences: Readonly<Record<string, MetricDifference>>;
  readonly tests: readonly PairedTest[];
}

/**
 * Every pair of models: the difference of each metric with a paired bootstrap interval by patient,
 * and tests of area and accuracy: DeLong's and McNemar's where every patient has one film, else the
 * bootstrap's; corrected over the pairs. Throws `predictions-differ` where the films are not the same.
 */
export function compareModels(
  models: readonly ComparedModel[],
  task: Task,
  { patients, ...options }: IntervalOptions = {},
): ModelPair[] {
  checkAlike(models);
  const settings = intervalSettings(options);
  const films = models[0]?.predictions.length ?? 0;
  const clusters = clustersOf(films, patients);
  const pairs = models.flatMap((first, index) =>
    models.slice(index + 1).map((second) => pairOf(first, second, task, clusters, settings)),
  );
  return corrected(pairs);
}

type UncorrectedPair = Omit<ModelPair, "tests"> & {
  readonly tests: readonly Omit<PairedTest, "correctedP">[];
};

function corrected(pairs: readonly UncorrectedPair[]): ModelPair[] {
  const count = Math.max(0, ...pairs.map(({ tests }) => tests.length));
  const columns = Array.from({ length: count }, (_, place) =>
    holm(pairs.map(({ tests }) => tests[place]?.p ?? 1)),
  );
  return pairs.map((pair, row) => ({
    ...pair,
    tests: pair.tests.map((test, place) => ({ ...test, correctedP: columns[place]![row]! })),
  }));
}

function pairOf(
  first: ComparedModel,
  second: ComparedModel,
  task: Task,
  clusters: Clusters,
  { rounds, seed, level }: ReturnType<typeof intervalSettings>,
): UncorrectedPair {
  const measured = [first, second].map(({ predictions, threshold = DEFAULT_THRESHOLD }) =>
    measure(predictions, task, threshold),
  );
  const [a, b] = [measured[0]!, measured[1]!];
  const kept = a.names.flatMap(({ scope }, index) => (scope === null ? [index] : []));
  const statistics = (weights: Uint32Array): (number | null)[] => {
    const [ofA, ofB] = [a.statistics(weights), b.statistics(weights)];
    return kept.map((index) => {
      const [x, y] = [ofA[index]!, ofB[index]!];
      return x === null || y === null ? null : x - y;
    });
  };
  const values = statistics(unitWeights(clusters.byFilm.length));
  const resampled =
    rounds === 0 ? undefined : resample(statistics, kept.length, clusters, { rounds, seed });
  const method = clusters.areGrouped ? "cluster-bootstrap" : "bootstrap";
  const differences = Object.fromEntries(
    kept.map((index, place): [string, MetricDifference] => {
      const { key, undefinedBecause } = a.names[index]!;
      const value = values[place]!;
      const none = { value, low: null, high: null, method: null, p: null };
      if (value === null) return [key, { ...none, reason: undefinedBecause }];
      const ofKey = resampled?.[place];
      if (!ofKey) return [key, none];
      const p = bootstrapP(ofKey);
      const interval = bootstrapInterval(value, ofKey, level);
      if ("reason" in interval) return [key, { ...none, p, reason: interval.reason }];
      const { low, high, kind } = interval;
      return [key, { value, low, high, p, method: kind === "bca" ? method : `${method}-${kind}` }];
    }),
  );
  return {
    first: first.name,
    second: second.name,
    differences,
    tests: testsOf(first, second, task, clusters, differences),
  };
}

/** Source: Davison and Hinkley 1997, section 4.4: with the data themselves as one more round. */
function bootstrapP({ replicates }: Resampled): number {
  let [below, above, total] = [0, 0, 0];
  for (const value of replicates) {
    if (Number.isNaN(value)) continue;
    total++;
    if (value <= 0) below++;
    if (value >= 0) above++;
  }
  return Math.min(1, (2 * (Math.min(below, above) + 1)) / (total + 1));
}

function testsOf(
  first: ComparedModel,
  second: ComparedModel,
  task: Task,
  clusters: Clusters,
  differences: Readonly<Record<string, MetricDifference>>,
): Omit<PairedTest, "correctedP">[] {
  const method = clusters.areGrouped ? "cluster-bootstrap" : "bootstrap";
  const resampled = (metric: PairedTest["metric"]): Omit<PairedTest, "correctedP">[] => {
    const p = differences[metric]?.p ?? null;
    return p === null ? [] : [{ metric, method, p }];
  };
  const isBinary = task.kind === "classes" && task.positive !== null;
  const area = isBinary ? "auroc" : "aurocMacro";
  if (clusters.areGrouped || task.kind === "findings")
    return [...resampled(area), ...resampled("accuracy")];
  const { midP } = mcnemarOf(rights(first, task), rights(second, task));
  const accuracy = { metric: "accuracy", method: "mcnemar-mid-p", p: midP } as const;
  if (!isBinary) return [...resampled(area), accuracy];
  const { labels, scores } = columnOf(first.predictions, task.positive!);
  const tested = delongTest(labels, scores, columnOf(second.predictions, task.positive!).scores);
  return [...(tested ? [{ metric: area, method: "delong", p: tested.p } as const] : []), accuracy];
}

/** 1 for films that are read rightly. */
function rights(
  { predictions, threshold = DEFAULT_THRESHOLD }: ComparedModel,
  task: Extract<Task, { kind: "classes" }>,
): number[] {
  return predictions.map((prediction) => {
    if (task.positive === null) {
      const { truth, predicted } = decisionOf(prediction);
      return Number(truth === predicted);
    }
    const called = prediction.probabilities[task.positive]! >= threshold;
    return Number(called === (prediction.target[task.positive] === 1));
  });
}

function checkAlike(models: readonly ComparedModel[]): void {
  const [first, ...others] = models;
  for (const { name, predictions } of others) {
    const isAlike =
      predictions.length === first!.predictions.length &&
      predictions.every(({ target }, film) =>
        target.every((value, label) => value === first!.predictions[film]!.target[label]),
      );
    if (!isAlike)
      throw new HilumError(
        "predictions-differ",
        `"${first!.name}" and "${name}" were not read on the same films with the same labels; compare predictions of one data set.`,
        { first: first!.name, second: name },
      );
  }
}
