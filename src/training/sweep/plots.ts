/** Pictures of a sweep: each a Vega-Lite specification, drawn to SVG. */
import { COLOURS, type PlotSpec, plotSvg } from "../../evaluation/index.ts";
import { LATENCY, type SweepConfig } from "./config.ts";
import { importances } from "./importance.ts";
import type { TrialResult } from "./result.ts";
import { placeIn } from "./space.ts";

/** The plots by name; `pareto` only where there are two objectives. */
export async function sweepPlots(
  config: SweepConfig,
  trials: readonly TrialResult[],
): Promise<Readonly<Record<string, string>>> {
  const scored = trials.filter(({ value, state }) => value !== null && state !== "failed");
  const specs: Record<string, PlotSpec> = {
    history: historySpec(config, scored),
    importance: importanceSpec(config, scored),
    parallel: parallelSpec(config, scored),
    slices: slicesSpec(config, scored),
    ...(config.objectives.length > 1 ? { pareto: paretoSpec(config, scored) } : {}),
  };
  const drawn = Object.entries(specs).map(
    async ([name, spec]) => [name, await plotSvg(spec as PlotSpec)] as const,
  );
  return Object.fromEntries(await Promise.all(drawn));
}

const STATES = {
  domain: ["complete", "pruned"],
  range: [COLOURS.first, COLOURS.quiet],
} as const;
const stateColour = { field: "state", type: "nominal", title: null, scale: STATES } as const;
const valueAxis = (title: string) =>
  ({ field: "value", type: "quantitative", title, scale: { zero: false } }) as const;

/** Every trial's value in order, and the best complete one so far. */
function historySpec({ objectives }: SweepConfig, trials: readonly TrialResult[]): PlotSpec {
  const { name, direction } = objectives[0]!;
  const choose = direction === "higher" ? Math.max : Math.min;
  let best: number | undefined;
  const steps = trials.flatMap(({ number, state, value }) => {
    if (state === "complete") best = best === undefined ? value! : choose(best, value!);
    return best === undefined ? [] : [{ number, value: best }];
  });
  const x = {
    field: "number",
    type: "quantitative",
    title: "Trial",
    axis: { tickMinStep: 1, format: "d" },
  } as const;
  return {
    width: 480,
    height: 240,
    title: "Optimisation history",
    layer: [
      {
        data: { values: points(trials) },
        mark: { type: "point", filled: true, size: 40 },
        encoding: { x, y: valueAxis(name), color: stateColour },
      },
      {
        data: { values: steps },
        mark: { type: "line", interpolate: "step-after", color: COLOURS.second, strokeWidth: 2 },
        encoding: { x, y: valueAxis(name) },
      },
    ],
  } as PlotSpec;
}

function importanceSpec({ space }: SweepConfig, trials: readonly TrialResult[]): PlotSpec {
  return {
    width: 420,
    height: { step: 22 },
    title: "Variance of the ranks that each dimension explains alone (fANOVA)",
    data: { values: importances(space, trials) },
    mark: { type: "bar", color: COLOURS.first },
    encoding: {
      x: {
        field: "share",
        type: "quantitative",
        title: null,
        axis: { format: "%" },
        scale: { domain: [0, 1] },
      },
      y: { field: "name", type: "nominal", title: null, sort: null },
    },
  } as PlotSpec;
}

/** A line for each trial through its places in all dimensions, each axis from its lowest to its highest. */
function parallelSpec(config: SweepConfig, trials: readonly TrialResult[]): PlotSpec {
  const { dimensions } = config.space;
  const values = trials.flatMap(({ number, params, value }) =>
    dimensions.flatMap((dimension, order) => {
      if (!(dimension.name in params)) return [];
      const given = params[dimension.name]!;
      const place =
        dimension.kind === "choice"
          ? dimension.choices.indexOf(given) / Math.max(1, dimension.choices.length - 1)
          : placeIn(dimension, Number(given));
      return [{ number, value, order, name: dimension.name, place }];
    }),
  );
  return {
    width: 110 * dimensions.length,
    height: 260,
    title: "Parallel coordinates: from each dimension's lowest (or first) to its highest (or last)",
    data: { values },
    mark: { type: "line", opacity: 0.6, strokeWidth: 1.3 },
    encoding: {
      x: {
        field: "name",
        type: "nominal",
        sort: dimensions.map(({ name }) => name),
        title: null,
        axis: { labelAngle: 0, grid: true },
      },
      y: {
        field: "place",
        type: "quantitative",
        title: null,
        axis: null,
        scale: { domain: [0, 1] },
      },
      color: {
        field: "value",
        type: "quantitative",
        title: config.objectives[0]!.name,
        scale: { scheme: "viridis", reverse: config.objectives[0]!.direction === "lower" },
      },
      detail: { field: "number" },
    },
  } as PlotSpec;
}

/** The objective over each dimension alone. */
function slicesSpec({ space, objectives }: SweepConfig, trials: readonly TrialResult[]): PlotSpec {
  const { name: objective } = objectives[0]!;
  return {
    columns: 4,
    concat: space.dimensions.map((dimension) => {
      const { name, kind } = dimension;
      const x =
        kind === "choice"
          ? { field: "x", type: "nominal", title: name, axis: { labelAngle: 0 } }
          : {
              field: "x",
              type: "quantitative",
              title: name,
              scale: dimension.isLog ? { type: "log" } : { zero: false },
              axis: { tickCount: 4, ...(dimension.isLog ? { format: ".0e" } : {}) },
            };
      const own = trials.filter(({ params }) => name in params);
      return {
        width: 150,
        height: 130,
        data: {
          values: own.map(({ params, ...trial }) => ({
            ...trial,
            x: kind === "choice" ? String(params[name]) : params[name],
          })),
        },
        mark: { type: "point", filled: true, size: 25, opacity: 0.8 },
        encoding: { x, y: valueAxis(objective), color: stateColour },
      };
    }),
  } as unknown as PlotSpec;
}

/** Both objectives of complete trials; those that no other beats are joined. */
function paretoSpec({ objectives }: SweepConfig, trials: readonly TrialResult[]): PlotSpec {
  const [first, second] = objectives;
  const complete = trials.filter(({ state }) => state === "complete");
  const isBeaten = (trial: TrialResult) =>
    complete.some((other) => {
      const gains = objectives.map(({ name, direction }) => {
        const gain = Number(other.values[name]) - Number(trial.values[name]);
        return direction === "higher" ? gain : -gain;
      });
      return gains.every((gain) => gain >= 0) && gains.some((gain) => gain > 0);
    });
  const values = complete.map((trial) => ({
    number: trial.number,
    x: trial.values[second!.name],
    y: trial.values[first!.name],
    place: isBeaten(trial) ? "beaten" : "front",
  }));
  const axes = {
    x: { field: "x", type: "quantitative", title: titleOf(second!.name), scale: { zero: false } },
    y: { field: "y", type: "quantitative", title: titleOf(first!.name), scale: { zero: false } },
  } as const;
  const scale = { domain: ["front", "beaten"], range: [COLOURS.second, COLOURS.quiet] };
  return {
    width: 420,
    height: 280,
    title: "Pareto front",
    data: { values },
    layer: [
      {
        transform: [{ filter: "datum.place == 'front'" }],
        mark: { type: "line", color: COLOURS.second, strokeWidth: 1.5 },
        encoding: axes,
      },
      {
        mark: { type: "point", filled: true, size: 60 },
        encoding: { ...axes, color: { field: "place", type: "nominal", title: null, scale } },
      },
    ],
  } as PlotSpec;
}

const titleOf = (name: string): string => (name === LATENCY ? "Milliseconds a film" : name);

const points = (trials: readonly TrialResult[]) =>
  trials.map(({ number, state, value }) => ({ number, state, value }));
