/**
 * The objective of the tuning bench: forests fitted to recorded trials, so that thousands of trials
 * take seconds and every search sees the same. Source: Eggensperger et al. 2015, "Efficient
 * Benchmarking of Hyperparameter Optimizers via Surrogates".
 */
import { selectionDirection } from "../src/evaluation/index.ts";
import { type Axis, forestValue, growForest, type Observed } from "../src/training/sweep/forest.ts";
import { type Choice, type Params, placeIn, type Space } from "../src/training/sweep/space.ts";
import { EPOCHS, type RecordedTrial, type Table } from "./tuning-table.ts";

export interface Curve {
  /** A loss after each epoch: less is better. */
  readonly losses: readonly number[];
  /** Of each epoch, and of the trial beside them. */
  readonly secondsPerEpoch: number;
  readonly overhead: number;
}

export interface Objective {
  curveOf(params: Params): Curve;
  /** Of trials that the forests were not fitted to: rank correlation of the last epoch's losses. */
  readonly fit: number;
}

const TREES = 48;
/** One of so many trials is kept from a forest to judge it. */
const JUDGED = 5;

export function objectiveOf(space: Space, table: Table): Objective {
  const trials = table.trials.filter(({ values }) => values.some((value) => value !== null));
  const isFitted = (index: number) => index % JUDGED !== 0;
  const judge = fitted(
    space,
    table,
    trials.filter((_, index) => isFitted(index)),
  );
  const judged = trials.filter((_, index) => !isFitted(index));
  return {
    ...fitted(space, table, trials),
    fit: rankCorrelation(
      judged.map((trial) => lossesOf(table, trial).at(-1)!),
      judged.map(({ params }) => judge.curveOf(params).losses.at(-1)!),
    ),
  };
}

function fitted(space: Space, table: Table, trials: readonly RecordedTrial[]) {
  const axes: Axis[] = space.dimensions.map((dimension) => ({
    categories: dimension.kind === "choice" ? dimension.choices.length + 1 : null,
  }));
  const pointOf = (params: Params) =>
    space.dimensions.map((dimension) => {
      const value: Choice | undefined = params[dimension.name];
      // What is not active has a place of its own.
      if (dimension.kind === "choice")
        return value === undefined ? dimension.choices.length : dimension.choices.indexOf(value);
      return value === undefined ? -1 : placeIn(dimension, Number(value));
    });
  const forestOf = (observed: readonly Observed[]) =>
    growForest(axes, observed, { trees: TREES, seed: 1 });
  const curves = trials.map((trial) => lossesOf(table, trial));
  // One for each epoch, so that a tree draws whole trials: drawing epochs, every tree knows every
  // trial, and unseen ones are ranked with a correlation of 0.12 instead of 0.37 (300 trials by AUROC,
  // 24 trees each; 0.43 with 48).
  const losses = Array.from({ length: EPOCHS }, (_, epoch) =>
    forestOf(
      trials.map(({ params }, index) => ({
        point: pointOf(params),
        // Differences near the best count as much as those between bad ones.
        value: Math.log(curves[index]![epoch]!),
      })),
    ),
  );
  const seconds = forestOf(
    trials.map(({ params, seconds }) => ({
      point: pointOf(params),
      value: seconds.reduce((a, b) => a + b, 0) / seconds.length,
    })),
  );
  const overheads = trials.map(({ overhead }) => overhead).toSorted((a, b) => a - b);
  const overhead = overheads[Math.floor(overheads.length / 2)]!;
  return {
    curveOf(params: Params): Curve {
      const point = pointOf(params);
      return {
        losses: losses.map((forest) => Math.exp(forestValue(axes, forest, point))),
        secondsPerEpoch: forestValue(axes, seconds, point),
        overhead,
      };
    },
  };
}

/** Above 0; a head that stood still stays where it was. */
function lossesOf({ metric }: Table, { values }: RecordedTrial): number[] {
  const isHigher = selectionDirection(metric) === "higher";
  return Array.from({ length: EPOCHS }, (_, epoch) => {
    const value = values[Math.min(epoch, values.length - 1)] ?? null;
    if (value === null) return 1;
    return Math.max(1e-6, isHigher ? 1 - value : value);
  });
}

/** Spearman's, ties in the order of the films. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranksOf = (values: readonly number[]) => {
    const ranks = new Array<number>(values.length);
    values
      .map((_, index) => index)
      .sort((i, j) => values[i]! - values[j]!)
      .forEach((index, rank) => {
        ranks[index] = rank;
      });
    return ranks;
  };
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const middle = (a.length - 1) / 2;
  const product = x.reduce((sum, rank, index) => sum + (rank - middle) * (y[index]! - middle), 0);
  return product / x.reduce((sum, rank) => sum + (rank - middle) ** 2, 0);
}
