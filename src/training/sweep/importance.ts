/** Which dimension matters. */
import { fanova } from "./fanova.ts";
import type { Axis } from "./forest.ts";
import type { TrialResult } from "./result.ts";
import { type Choice, type Dimension, placeIn, type Space } from "./space.ts";

export interface Importance {
  readonly name: string;
  /** From 0 to 1. What is missing of 1 in their sum is explained by several dimensions together. */
  readonly share: number;
  /** Trials in which the dimension was active. */
  readonly trials: number;
}

const FEWEST = 8;
const SEED = 1;

/**
 * For each dimension the share of the variance of the trials' ranks that it explains alone, most
 * important first, by fANOVA over the space. Ranks, since one trial that diverges would else be all
 * there is to explain. A conditional dimension is judged among the trials in which it was active, all
 * others among all trials.
 */
export function importances({ dimensions }: Space, trials: readonly TrialResult[]): Importance[] {
  const scored = trials.filter(({ value, state }) => value !== null && state !== "failed");
  return dimensions
    .map((dimension) => {
      const { name } = dimension;
      const own = scored.filter(({ params }) => name in params);
      const others = dimensions.filter((other) => own.every(({ params }) => other.name in params));
      return { name, share: shareOf(dimension, others, own), trials: own.length };
    })
    .sort((a, b) => b.share - a.share);
}

function shareOf(
  dimension: Dimension,
  dimensions: readonly Dimension[],
  trials: readonly TrialResult[],
): number {
  if (trials.length < FEWEST) return 0;
  const ordered = [...trials].sort((a, b) => a.value! - b.value!);
  const observed = ordered.map(({ params, value }) => ({
    point: dimensions.map((one) => placeOn(one, params[one.name]!)),
    value: ordered.findIndex((other) => other.value === value),
  }));
  return fanova(dimensions.map(axisOf), observed, SEED)[dimensions.indexOf(dimension)]!;
}

const axisOf = (dimension: Dimension): Axis => ({
  categories: dimension.kind === "choice" ? dimension.choices.length : null,
});

const placeOn = (dimension: Dimension, value: Choice): number =>
  dimension.kind === "choice"
    ? dimension.choices.indexOf(value)
    : placeIn(dimension, Number(value));
