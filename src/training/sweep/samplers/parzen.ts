/**
 * The Parzen estimator of TPE: a mixture of products, one kernel for each observation and one for
 * the prior. Source: Optuna 5.0, samplers/_tpe/parzen_estimator.py, with its defaults (prior weight
 * 1, magic clip, no endpoints); after Bergstra et al. 2011 and Watanabe 2023 (arXiv 2304.11127).
 */
import type { RandomStream } from "../../../random.ts";
import {
  type Choice,
  type Dimension,
  drawingRange,
  type NumberDimension,
  type Params,
  valueAt,
} from "../space.ts";
import { logNormalDensity, logNormalMass } from "./normal.ts";

/** One dimension's kernels: logs of densities, and draws. */
interface Kernels {
  /** Of a value under kernel k. */
  logDensity(value: Choice, k: number): number;
  draw(k: number, random: RandomStream): Choice;
}

export interface ParzenEstimator {
  /** Log density of a configuration of the estimator's dimensions. */
  logDensity(params: Params): number;
  draw(random: RandomStream): Params;
}

/** The estimator of a group of dimensions from configurations that have them all, oldest first. */
export function parzenEstimator(
  dimensions: readonly Dimension[],
  observations: readonly Params[],
): ParzenEstimator {
  const weights = weightsOf(observations.length);
  const kernels = dimensions.map((dimension) => {
    const values = observations.map((params) => params[dimension.name]!);
    return dimension.kind === "choice"
      ? choiceKernels(dimension.choices, values)
      : numberKernels(dimension, values as number[]);
  });
  return {
    logDensity(params) {
      const logs = weights.map((weight, k) =>
        dimensions.reduce(
          (sum, { name }, d) => sum + kernels[d]!.logDensity(params[name]!, k),
          Math.log(weight),
        ),
      );
      const top = Math.max(...logs);
      if (top === Number.NEGATIVE_INFINITY) return top;
      return top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0));
    },
    draw(random) {
      const k = drawIndex(weights, random);
      return Object.fromEntries(
        dimensions.map(({ name }, d) => [name, kernels[d]!.draw(k, random)]),
      );
    },
  };
}

/** Old observations count less: all but the last 25 on a ramp. The prior comes last, with weight 1. */
function weightsOf(count: number): number[] {
  const ramp = Math.max(0, count - 25);
  const raw = Array.from({ length: count }, (_, index) => {
    if (index >= ramp) return 1;
    return ramp === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * index) / (ramp - 1);
  });
  const all = [...raw, 1];
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((weight) => weight / sum);
}

function drawIndex(weights: readonly number[], random: RandomStream): number {
  let rest = random.uniform();
  for (const [index, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return index;
  }
  return weights.length - 1;
}

function choiceKernels(choices: readonly Choice[], values: readonly Choice[]): Kernels {
  const count = values.length + 1;
  const quiet = 1 / count;
  const total = 1 + choices.length * quiet;
  const rows = values.map((value) =>
    choices.map((choice) => ((choice === value ? 1 : 0) + quiet) / total),
  );
  rows.push(choices.map(() => 1 / choices.length));
  return {
    logDensity: (value, k) => Math.log(rows[k]![choices.indexOf(value)]!),
    draw: (k, random) => choices[drawIndex(rows[k]!, random)]!,
  };
}

function numberKernels(dimension: NumberDimension, values: readonly number[]): Kernels {
  const { isLog, step } = dimension;
  const [low, high] = drawingRange(dimension);
  const placeOf = (value: number) => (isLog ? Math.log(value) : value);
  const own = values.map(placeOf);
  const means = [...own, 0.5 * (low + high)];
  const deviations = [...deviationsOf(own, low, high), high - low];
  const logMasses = means.map((mean, k) =>
    logNormalMass((low - mean) / deviations[k]!, (high - mean) / deviations[k]!),
  );
  return {
    logDensity(value, k) {
      const [mean, deviation] = [means[k]!, deviations[k]!];
      const z = (x: number) => (x - mean) / deviation;
      if (step === null)
        return logNormalDensity(z(placeOf(Number(value)))) - Math.log(deviation) - logMasses[k]!;
      const [from, to] = [Number(value) - step / 2, Number(value) + step / 2].map(placeOf);
      return logNormalMass(z(from!), z(to!)) - logMasses[k]!;
    },
    // The mean lies within the range and the deviation is no longer than it, so a third is accepted.
    draw(k, random) {
      for (;;) {
        const place = means[k]! + deviations[k]! * random.normal();
        if (place >= low && place <= high) return valueAt(dimension, place);
      }
    },
  };
}

/** The longer of the distances to both neighbours, between a share of the range and all of it. */
function deviationsOf(places: readonly number[], low: number, high: number): number[] {
  const order = places.map((_, index) => index).sort((a, b) => places[a]! - places[b]!);
  const sorted = order.map((index) => places[index]!);
  const ends = [low, ...sorted, high];
  const gaps = sorted.map((place, rank) => Math.max(place - ends[rank]!, ends[rank + 2]! - place));
  if (sorted.length >= 2) {
    gaps[0] = sorted[1]! - sorted[0]!;
    gaps[gaps.length - 1] = sorted.at(-1)! - sorted.at(-2)!;
  }
  const shortest = (high - low) / Math.min(100, places.length + 2);
  const deviations = new Array<number>(places.length);
  for (const [rank, index] of order.entries())
    deviations[index] = Math.min(high - low, Math.max(shortest, gaps[rank]!));
  return deviations;
}
