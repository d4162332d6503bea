import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { referencePath } from "../../../../test/support/reference-file.ts";
import { networkEntry } from "../../../models/index.ts";
import { randomStream } from "../../../random.ts";
import { isActive, type Params, type Space } from "../space.ts";
import { spaceOf } from "../space-file.ts";
import type { Observation, TrialState } from "../trial.ts";
import { gridParams, gridPoints } from "./grid.ts";
import { SAMPLER_NAMES, SAMPLERS, type SamplerName } from "./index.ts";
import { parzenEstimator } from "./parzen.ts";
import { sobolPoint } from "./sobol.ts";
import { groupsOf, splitTrials } from "./tpe.ts";

interface Reference {
  readonly sobol: readonly (readonly number[])[];
  readonly parzen: readonly {
    readonly observations: readonly Params[];
    readonly points: readonly Params[];
    readonly logDensities: readonly number[];
  }[];
  readonly splits: readonly {
    readonly trials: readonly {
      readonly state: TrialState;
      readonly value: number | null;
      readonly reports: readonly number[];
    }[];
    readonly good: readonly number[];
  }[];
}

/** From Optuna 5.0.0 and SciPy 1.17.1; see make.py beside it. */
const REFERENCE = JSON.parse(readFileSync(referencePath("sweep/sweep.json"), "utf8")) as Reference;

const CNN = networkEntry("cnn");

/** The space of make.py. */
const MIXED = spaceOf(
  {
    mixup: { low: 0, high: 1 },
    lr: { low: 1e-5, high: 1e-1, log: true },
    epochs: { low: 2, high: 12, integer: true },
    batch: { low: 4, high: 256, integer: true, log: true },
    labelSmoothing: { low: 0, high: 0.3, step: 0.1 },
    augmentation: ["none", "light", "strong"],
  },
  CNN,
);

const CONDITIONAL = spaceOf(
  {
    momentum: { low: 0.5, high: 0.9, when: { optimizer: "sgd" } },
    lr: { low: 1e-4, high: 1, log: true },
    optimizer: ["adamw", "sgd", "adam"],
    weightDecay: { low: 0, high: 0.2, step: 0.1, when: { optimizer: ["adamw", "sgd"] } },
    epochs: 3,
  },
  CNN,
);

/** A sweep of one worker on a function: what was chosen, and its losses. */
function sweepOf(
  space: Space,
  loss: (params: Params) => number,
  { sampler, seed, count }: { sampler: SamplerName; seed: number; count: number },
): Observation[] {
  const trials: Observation[] = [];
  for (let number = 0; number < count; number++) {
    const params = SAMPLERS[sampler](space, trials, { seed, number });
    if (!params) break;
    trials.push({ number, state: "complete", params, losses: [loss(params)], reports: [] });
  }
  return trials;
}

describe("Sobol's sequence", () => {
  it("equals SciPy's in 32 dimensions", () => {
    // SciPy keeps 30 bits of each coordinate, and 64 points need but 6.
    for (const [index, point] of REFERENCE.sobol.entries())
      expect(sobolPoint(index, 32).map((x) => x / 2 ** 32)).toEqual(point);
  });

  it("stays even under the seed's shift: each quarter of each dimension has its share", () => {
    const trials = sweepOf(MIXED, () => 0, { sampler: "sobol", seed: 5, count: 64 });
    const mixups = trials.map(({ params }) => Math.floor(Number(params.mixup) * 4));
    for (const quarter of [0, 1, 2, 3])
      expect(mixups.filter((found) => found === quarter)).toHaveLength(16);
  });
});

describe("the Parzen estimator", () => {
  it.each(REFERENCE.parzen.map((entry) => [entry.observations.length, entry] as const))(
    "of %d observations has Optuna's densities, in every kind of dimension",
    (_, { observations, points, logDensities }) => {
      const estimator = parzenEstimator(MIXED.dimensions, observations);
      for (const [index, point] of points.entries())
        expect(estimator.logDensity(point)).toBeCloseTo(logDensities[index]!, 7);
    },
  );

  it("draws as often as its density says", () => {
    const { observations } = REFERENCE.parzen[3]!;
    const dimensions = MIXED.dimensions.filter(
      ({ name }) => name === "epochs" || name === "augmentation",
    );
    const estimator = parzenEstimator(dimensions, observations);
    const random = randomStream(3, "draws");
    const counts = new Map<string, number>();
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw++) {
      const key = JSON.stringify(estimator.draw(random));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    let chiSquare = 0;
    let cells = 0;
    let mass = 0;
    for (let epochs = 2; epochs <= 12; epochs++)
      for (const augmentation of ["none", "light", "strong"]) {
        const params = { epochs, augmentation };
        const expected = draws * Math.exp(estimator.logDensity(params));
        mass += expected / draws;
        chiSquare += ((counts.get(JSON.stringify(params)) ?? 0) - expected) ** 2 / expected;
        cells++;
      }
    expect(mass).toBeCloseTo(1, 9);
    // Chi-squared with 32 degrees of freedom exceeds 62.5 once in a thousand times.
    expect(cells).toBe(33);
    expect(chiSquare).toBeLessThan(62.5);
  });

  it("draws numbers whose distribution is the integral of its density", () => {
    const { observations } = REFERENCE.parzen[3]!;
    const [dimension] = MIXED.dimensions.filter(({ name }) => name === "lr");
    const estimator = parzenEstimator([dimension!], observations);
    const random = randomStream(4, "draws");
    const drawn = Array.from({ length: 5000 }, () => Math.log(Number(estimator.draw(random).lr)));
    const [low, high] = [Math.log(1e-5), Math.log(1e-1)];
    let below = 0;
    const slices = 200;
    for (let slice = 0; slice < slices; slice++) {
      const width = (high - low) / slices;
      const middle = low + (slice + 0.5) * width;
      // A density over log(x), as in Optuna.
      below += width * Math.exp(estimator.logDensity({ lr: Math.exp(middle) }));
      const found = drawn.filter((x) => x <= middle + width / 2).length / drawn.length;
      // Kolmogorov and Smirnov: 1.95 / sqrt(n) once in a thousand times.
      expect(Math.abs(found - below)).toBeLessThan(1.95 / Math.sqrt(drawn.length));
    }
    expect(below).toBeCloseTo(1, 3);
  });
});

describe("TPE's good trials", () => {
  it.each(REFERENCE.splits.map((entry, index) => [index, entry] as const))(
    "are those that Optuna takes (case %d)",
    (_, { trials, good }) => {
      const observations = trials.map(
        ({ state, value, reports }, number): Observation => ({
          number,
          state,
          params: {},
          losses: value === null ? [] : [value],
          reports: reports.map((loss, index) => ({ step: index + 1, loss })),
        }),
      );
      expect(splitTrials(observations).good.map(({ number }) => number)).toEqual(good);
    },
  );

  it("do not count those that failed, and come from the front with several objectives", () => {
    const trial = (number: number, state: TrialState, losses: number[]): Observation => ({
      number,
      state,
      params: {},
      losses,
      reports: [],
    });
    const one = [trial(0, "failed", []), trial(1, "complete", [5]), trial(2, "complete", [4])];
    expect(splitTrials(one).good.map(({ number }) => number)).toEqual([2]);
    const two = Array.from({ length: 20 }, (_, n) => trial(n, "complete", [n + 1, n + 1]));
    two.push(trial(20, "complete", [0, 30]), trial(21, "complete", [30, 0]));
    expect(splitTrials(two).good.map(({ number }) => number)).toEqual([0, 20, 21]);
  });

  it("lead it to the minimum of known functions sooner than chance does", () => {
    const functions: Record<string, (x: number, y: number) => number> = {
      sphere: (x, y) => (x - 3) ** 2 + (y + 2) ** 2,
      branin: (x, y) => {
        const b = y + 10 - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6;
        return b ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10 - 0.397887;
      },
    };
    const plane: Space = {
      fixed: {},
      dimensions: ["x", "y"].map((name) => {
        const [low, high] = name === "x" ? [-5, 10] : [-10, 5];
        return {
          name,
          kind: "number",
          low: low!,
          high: high!,
          isLog: false,
          step: null,
          when: null,
        };
      }),
    };
    for (const f of Object.values(functions)) {
      const best = (sampler: SamplerName, seed: number) =>
        Math.min(
          ...sweepOf(plane, ({ x, y }) => f(Number(x), Number(y)), {
            sampler,
            seed,
            count: 80,
          }).map(({ losses }) => losses[0]!),
        );
      const seeds = [1, 2, 3, 4, 5, 6, 7];
      const wins = seeds.filter((seed) => best("tpe", seed) < best("random", seed));
      expect(wins.length).toBeGreaterThanOrEqual(6);
    }
  });
});

describe("every sampler", () => {
  it.each(SAMPLER_NAMES)(
    "%s keeps to ranges, steps and conditions, and repeats itself",
    (sampler) => {
      const run = () =>
        sweepOf(CONDITIONAL, ({ lr }) => Math.abs(Math.log10(Number(lr)) + 2), {
          sampler,
          seed: 9,
          count: 40,
        });
      const trials = run();
      expect(run()).toEqual(trials);
      expect(trials.length).toBeGreaterThan(12);
      for (const { params } of trials) {
        for (const dimension of CONDITIONAL.dimensions)
          expect(dimension.name in params).toBe(isActive(dimension, params));
        expect(Number(params.lr)).toBeGreaterThanOrEqual(1e-4);
        expect(Number(params.lr)).toBeLessThanOrEqual(1);
        if ("weightDecay" in params) expect([0, 0.1, 0.2]).toContain(params.weightDecay);
      }
      expect(new Set(trials.map(({ params }) => params.optimizer)).size).toBe(3);
    },
  );

  it("seeds differ, but for which points the grid has", () => {
    for (const sampler of SAMPLER_NAMES) {
      const of = (seed: number) =>
        sweepOf(CONDITIONAL, () => 0, { sampler, seed, count: 10 }).map(({ params }) => params);
      expect(of(1)).not.toEqual(of(2));
    }
  });
});

describe("the grid", () => {
  it("has each combination of what is active once, in the seed's order", () => {
    const points = gridPoints(CONDITIONAL);
    // Three rates; sgd has 3 momenta and 3 decays, adamw 3 decays, adam nothing of its own.
    expect(points).toHaveLength(3 * (3 * 3 + 3 + 1));
    const sampled = points.map((_, number) => gridParams(CONDITIONAL, 1, number));
    expect(new Set(sampled.map((params) => JSON.stringify(params))).size).toBe(points.length);
    expect(gridParams(CONDITIONAL, 1, points.length)).toBeUndefined();
  });
});

it("dimensions that are active together are drawn together, parents first", () => {
  expect(groupsOf(CONDITIONAL).map((group) => group.map(({ name }) => name))).toEqual([
    ["lr", "optimizer"],
    ["momentum"],
    ["weightDecay"],
  ]);
});
