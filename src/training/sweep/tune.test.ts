import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { smallBackbone } from "../../../test/support/small-backbone.ts";
import { networkEntry } from "../../models/index.ts";
import { writeModelFile } from "../../onnx/index.node.ts";
import { modelOf } from "../../onnx/index.ts";
import type { EpochRecord } from "../checkpoint.ts";
import type { TrainOptions } from "../options.ts";
import { runFolder } from "../run-folder.ts";
import { listRuns } from "../runs.ts";
import { train } from "../train.ts";
import { TRANSFER_DEFAULTS } from "../transfer/choose.ts";
import { defaultSpace, recipeParams } from "./default-space.ts";
import type { SweepResult } from "./result.ts";
import { spaceOf } from "./space-file.ts";
import { resumeSweep, type TuneContext, type TuneOptions, tune } from "./tune.ts";
import type { SweepEvent } from "./work.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 40, size: 32, seed: 4 });

const TINY: TuneOptions = {
  model: "cnn",
  train: { width: 0.1, size: 16, epochs: 3, threads: 1, valFraction: 0.3 },
  space: spaceOf(
    {
      lr: { low: 1e-4, high: 1e-1, log: true },
      optimizer: ["adamw", "sgd"],
      momentum: { low: 0.5, high: 0.95, when: { optimizer: "sgd" } },
      batch: [8, 16],
    },
    networkEntry("cnn"),
  ),
  budget: { trials: 5 },
  workers: 1,
};

const run = (out: string, options: TuneOptions = {}, context: Partial<TuneContext> = {}) =>
  tune(films, { ...TINY, ...options }, { out, cacheFolder, ...context });

/** All that has to be equal: not where, and not how long. */
const essence = ({ trials, best, pareto, optimism }: SweepResult) => ({
  trials: trials.map(({ seconds: _, ...trial }) => trial),
  best: best?.number,
  pareto,
  optimism,
});

describe("a sweep", () => {
  it("has each trial as a run, the best of them, and the command that trains it", async () => {
    const out = place("sweep");
    const events: SweepEvent[] = [];
    const result = await run(out, {}, { onEvent: (event) => events.push(event) });
    expect(result.trials.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
    const complete = result.trials.filter(({ state }) => state === "complete");
    expect(complete.length).toBeGreaterThan(0);
    const top = Math.max(...complete.map(({ value }) => value!));
    expect(result.best).toMatchObject({ value: top, state: "complete" });
    expect(existsSync(result.best!.model!)).toBe(true);
    expect(result.command).toContain(`hilum train ${films} --model cnn`);
    expect(result.command).toContain(`--lr ${result.best!.params.lr}`);
    for (const { number, params } of result.trials) {
      const { settings } = runFolder(join(out, "trials", `000${number}`)).config();
      expect(settings).toMatchObject({ ...params, width: 0.1, seed: 1, threads: 1 });
    }
    expect(JSON.parse(readFileSync(join(out, "sweep.json"), "utf8"))).toEqual(result);
    for (const name of ["history", "importance", "parallel", "slices"])
      expect(readFileSync(join(out, "plots", `${name}.svg`), "utf8")).toMatch(/^<svg.*<\/svg>$/s);
    const told = events.flatMap((event) => (event.kind === "training" ? [] : [`${event.kind}`]));
    expect(told).toEqual(Array.from({ length: 5 }, () => ["trial", "ended"]).flat());
  });

  it("is the same again with the same seed, interrupted and resumed or not", async () => {
    const whole = essence(await run(place("whole")));
    for (const at of [2, 8]) {
      const out = place("stopped");
      const stop = new AbortController();
      let steps = 0;
      const onEvent = (event: SweepEvent) => {
        if (event.kind === "training" && event.event.kind === "step" && ++steps === at)
          stop.abort();
      };
      const error = await rejection(run(out, {}, { signal: stop.signal, onEvent }));
      expect(error.code).toBe("interrupted");
      expect(error.message).toContain(`hilum tune --resume ${out}`);
      expect(essence(await resumeSweep({ out, cacheFolder }))).toEqual(whole);
    }
    expect(essence(await run(place("other"), { seed: 2 }))).not.toEqual(whole);
  });

  it("that is finished is printed again and trains nothing, until its budget is raised", async () => {
    const out = place("sweep");
    const before = await run(out, { budget: { trials: 2 } });
    const events: SweepEvent[] = [];
    const onEvent = (event: SweepEvent) => events.push(event);
    expect(await resumeSweep({ out, cacheFolder, onEvent })).toEqual(before);
    expect(events).toEqual([]);
    const more = await resumeSweep({ out, cacheFolder, budget: { trials: 3 } });
    expect(more.trials).toHaveLength(3);
    expect(more.trials.slice(0, 2)).toEqual(before.trials);
  });

  it("ends with its images: the trial under way is stopped", async () => {
    const result = await run(place("images"), { budget: { images: 100 }, pruner: "none" });
    // 28 films an epoch: three epochs of the first trial, and one of the second.
    expect(result.trials.map(({ state }) => state)).toEqual(["complete", "pruned"]);
  });

  it("ends with its time, and says what is missing where nothing was complete", async () => {
    const result = await run(place("time"), {
      budget: { seconds: 0.01 },
      train: { ...TINY.train, epochs: 500 },
    });
    expect(result).toMatchObject({ best: null, command: null, optimism: null, pareto: [] });
    expect(result.trials.map(({ state }) => state)).toEqual(["pruned"]);
  });

  it("takes the mean over folds by patient, and refits the winner with all of them", async () => {
    const out = place("folds");
    const result = await run(
      out,
      { folds: 2, budget: { trials: 2 }, pruner: "none", train: { ...TINY.train, epochs: 1 } },
      { isRefit: true },
    );
    for (const { number, value } of result.trials) {
      const best = [1, 2].map(
        (fold) =>
          runFolder(join(out, "trials", `000${number}`, `fold-${fold}`)).result().metrics.auroc!,
      );
      expect(value).toBeCloseTo((best[0]! + best[1]!) / 2, 12);
    }
    const held = runFolder(join(out, "trials/0000/fold-1")).result().images;
    const { images } = runFolder(result.refit!).result();
    expect(images.train).toBeGreaterThan(held.train);
    expect(result.optimism!.candidates).toBe(2);
    expect(result.command).not.toContain("--fold");
    expect(result.command).toContain("--val-fraction 0.05");
    expect(runFolder(result.refit!).config().settings).toMatchObject({
      ...result.best!.params,
      valFraction: 0.05,
      folds: null,
    });
  });

  it("with latency beside the metric has a front, and prunes nothing", async () => {
    const out = place("front");
    const result = await run(out, {
      objectives: ["auroc", "latency"],
      budget: { trials: 4 },
    });
    expect(result.trials.every(({ state }) => state === "complete")).toBe(true);
    for (const { values } of result.trials) expect(values.latency).toBeGreaterThan(0);
    expect(result.pareto[0]).toBe(result.best!.number);
    expect(result.optimism).toBeNull();
    expect(existsSync(join(out, "plots/pareto.svg"))).toBe(true);
  });

  it("that is stopped says nothing of its latency, whichever objective is named first", async () => {
    const result = await run(place("latency-first"), {
      objectives: ["latency", "auroc"],
      budget: { images: 100 },
    });
    const stopped = result.trials.find(({ state }) => state === "pruned");
    expect(stopped).toMatchObject({ value: null, values: {} });
  });

  it("goes on past a configuration that diverges, which has failed", async () => {
    const space = spaceOf({ lr: [900, 1e-3] }, networkEntry("cnn"));
    const result = await run(place("diverging"), {
      space,
      sampler: "grid",
      pruner: "none",
      train: { ...TINY.train, optimizer: "sgd", clipNorm: null, warmup: 0 },
    });
    const failed = result.trials.find(({ params }) => params.lr === 900)!;
    expect(failed.state).toBe("failed");
    expect(failed.error).toMatch(/loss|finite|NaN/i);
    expect(result.best!.params.lr).toBe(1e-3);
    expect(result.trials).toHaveLength(2);
  });
});

describe("a sweep of heads on a frozen backbone", () => {
  const model = `${place("backbone")}.onnx`;
  writeModelFile(model, modelOf(smallBackbone(16).graph));
  const tuned = { ...networkEntry("cnn"), defaults: TRANSFER_DEFAULTS };
  const heads: TuneOptions = {
    model,
    space: spaceOf(
      {
        headLr: { low: 1e-3, high: 1, log: true },
        headDropout: { low: 0, high: 0.5 },
        headOptimizer: ["adamw", "sgd"],
        headBatch: [4, 8],
        featurePasses: [0, 1],
      },
      tuned,
    ),
    train: { size: 16, epochs: 0, headEpochs: 9, threads: 1, valFraction: 0.3 },
    budget: { trials: 8 },
  };
  const events: SweepEvent[] = [];
  const out = place("heads");
  const sweep = run(out, heads, { onEvent: (event) => events.push(event) });
  const headOf = (folder: string) => readFileSync(runFolder(folder).file("head"));

  it("reports the epochs of each head, which pruners go by", async () => {
    const { trials, best } = await sweep;
    const states = new Set(trials.map(({ state }) => state));
    expect(states).toEqual(new Set(["complete", "pruned"]));
    for (const { number, state, value } of trials) {
      const folder = runFolder(join(out, "trials", `000${number}`));
      const history = folder.lines<EpochRecord>("headHistory");
      expect(existsSync(folder.file("head"))).toBe(state === "complete");
      expect(history.length).toBeLessThanOrEqual(9);
      const values = history.map(({ metrics }) => metrics.auroc!);
      expect(value).toBe(state === "complete" ? Math.max(...values) : values.at(-1));
    }
    const shown = listRuns(out).map(({ state }) => state);
    expect(shown.filter((state) => state === "finished")).toHaveLength(1);
    expect(shown.filter((state) => state === "head").length).toBe(
      trials.filter(({ state }) => state === "complete").length - 1,
    );
    expect(existsSync(best!.model!)).toBe(true);
  });

  it("finds the head that train finds with the same options, bit for bit", async () => {
    const { best, command } = await sweep;
    const alone = place("alone");
    const options = { ...heads.train, ...best!.params, model, seed: 1 } as TrainOptions;
    const { metrics } = await train(films, options, { out: alone, cacheFolder });
    expect(headOf(alone)).toEqual(headOf(best!.run));
    expect(metrics.auroc).toBeCloseTo(best!.value!, 6);
    expect(command).toContain("--epochs 0");
    expect(command).toContain(`--head-lr ${best!.params.headLr}`);
  });

  it("is the same again, stopped within a head and resumed or not", async () => {
    const again = place("heads-again");
    const stop = new AbortController();
    const onEvent = (event: SweepEvent) => {
      const isThere = event.kind === "training" && event.number === 3;
      if (isThere && event.event.kind === "headEpoch") stop.abort();
    };
    const error = await rejection(run(again, heads, { signal: stop.signal, onEvent }));
    expect(error.code).toBe("interrupted");
    expect(essence(await resumeSweep({ out: again, cacheFolder }))).toEqual(essence(await sweep));
  });

  it("takes the mean over folds", async () => {
    const folded = place("folded-heads");
    const { trials } = await run(folded, {
      ...heads,
      folds: 2,
      budget: { trials: 2 },
      pruner: "none",
    });
    for (const { number, value } of trials) {
      const values = [1, 2].map((fold) => {
        const folder = runFolder(join(folded, "trials", `000${number}`, `fold-${fold}`));
        const history = folder.lines<EpochRecord>("headHistory");
        return Math.max(...history.map(({ metrics }) => metrics.auroc!));
      });
      expect(value).toBeCloseTo((values[0]! + values[1]!) / 2, 12);
    }
  });

  it("has a space of its own where none is given", () => {
    const names = defaultSpace(tuned, true).dimensions.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(6);
    expect(recipeParams(defaultSpace(tuned, true), tuned)).toMatchObject({
      headLr: 4e-3,
      headBatch: 64,
    });
  });
});

it("a sweep whose trials diverge spends its films, and ends", async () => {
  const { trials } = await run(place("all-diverging"), {
    space: spaceOf({ lr: { low: 800, high: 1000 } }, networkEntry("cnn")),
    train: { ...TINY.train, optimizer: "sgd", clipNorm: null, warmup: 0 },
    budget: { images: 100 },
  });
  expect(trials.map(({ state }) => state)).toContain("failed");
  expect(trials.length).toBeLessThanOrEqual(4);
});

describe("a sweep is refused", () => {
  it.each([
    [{ sampler: "tpee" as "tpe" }, "Option sampler is tpee; there are: tpe, random"],
    [{ pruner: "hope" as "none" }, "Option pruner is hope"],
    [{ objectives: ["latency"] }, "it has to be one metric"],
    [{ objectives: ["auroc", "brier"] }, "it has to be one metric"],
    [{ objectives: ["aurco"] }, "auroc"],
    [{ budget: { trials: 0 } }, "Option trials is 0"],
    [{ train: { ...TINY.train, lr: 0.1 } }, "Option lr is in the space"],
    [{ train: { epochs: 0 } }, "Option epochs is 0"],
    [{ model: "cnnn" }, "cnnn"],
  ])("with %j", async (options, words) => {
    const out = place("refused");
    expect((await rejection(run(out, options))).message).toContain(words);
    expect(existsSync(out)).toBe(false);
  });

  it("where another is, among the films, or where none is", async () => {
    const out = place("twice");
    await run(out, { budget: { trials: 1 } });
    const again = await rejection(run(out));
    expect(again.code).toBe("run-exists");
    expect(again.message).toContain("tune --resume");
    expect((await rejection(run(join(films, "sweep")))).message).toContain("among the films");
    const none = place("none");
    expect((await rejection(resumeSweep({ out: none }))).code).toBe("file-not-found");
    const broken = place("broken");
    mkdirSync(broken);
    writeFileSync(
      join(broken, "sweep.db"),
      "no database at all, but long enough to be read as one",
    );
    expect((await rejection(resumeSweep({ out: broken }))).code).toBe("run-damaged");
  });
});
