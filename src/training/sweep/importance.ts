/** Which dimension matters. */

import type { TrialResult } from "./result.ts";
import type { Space } from "./space.ts";

export interface Importance {
  readonly name: string;
  /** From 0 to 1: shares of different dimensions do not add up to 1. */
  readonly share: number;
  /** Trials in which the dimension was active. */
  readonly trials: number;
}

const FEWEST = 8;

/**
 * For each dimension the share of the variance of the trials' ranks that it explains alone, most
 * important first: epsilon squared of an analysis of variance over its choices, or over as many equal
 * groups of its values as the cube root of twice their number. It sees no interactions. Source: Kelley
 * 1935, "An unbiased correlation ratio measure".
 */
export function importances({ dimensions }: Space, trials: readonly TrialResult[]): Importance[] {
  const scored = trials.filter(({ value, state }) => value !== null && state !== "failed");
  const ranks = new Map(
    [...scored].sort((a, b) => a.value! - b.value!).map((trial, rank) => [trial, rank]),
  );
  return dimensions
    .map(({ name, kind }) => {
      const own = scored.filter(({ params }) => name in params);
      const groups =
        kind === "choice"
          ? own.map(({ params }) => JSON.stringify(params[name]))
          : quantiles(own.map(({ params }) => Number(params[name])));
      const share =
        own.length < FEWEST
          ? 0
          : explained(
              own.map((trial) => ranks.get(trial)!),
              groups,
            );
      return { name, share, trials: own.length };
    })
    .sort((a, b) => b.share - a.share);
}

/** The group of each value, groups alike in size. */
function quantiles(values: readonly number[]): string[] {
  const count = Math.max(2, Math.round(Math.cbrt(2 * values.length)));
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => `${Math.floor((sorted.indexOf(value) * count) / sorted.length)}`);
}

function explained(values: readonly number[], groups: readonly string[]): number {
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const squares = (numbers: readonly number[], centre: number) =>
    numbers.reduce((sum, x) => sum + (x - centre) ** 2, 0);
  const members = [...new Set(groups)].map((group) =>
    values.filter((_, index) => groups[index] === group),
  );
  const free = values.length - members.length;
  const total = squares(values, mean(values));
  if (free <= 0 || total === 0) return 0;
  const within = members.reduce((sum, own) => sum + squares(own, mean(own)), 0);
  const error = within / free;
  return Math.max(0, (total - within - (members.length - 1) * error) / total);
}
