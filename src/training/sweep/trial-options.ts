import type { TrainOptions } from "../options.ts";
import { metricObjective, type SweepConfig } from "./config.ts";
import type { Params } from "./space.ts";

/** The options that a trial trains with. */
export function trialOptions(config: SweepConfig, params: Params): TrainOptions {
  const { options, space, model, seed, threads, objectives } = config;
  const { name: metric } = metricObjective(objectives);
  return { model, ...options, ...space.fixed, ...params, metric, seed, threads } as TrainOptions;
}

/** The options of the network's own recipe, as trials would train it. */
export const recipeOptions = (config: SweepConfig): TrainOptions =>
  trialOptions({ ...config, space: { dimensions: [], fixed: {} } }, config.first ?? {});
