import { describe, expect, it } from "vitest";
import { networkEntry } from "../../models/index.ts";
import { decide, imagesOf, newWorker, workedSeconds } from "./claim.ts";
import type { SweepConfig } from "./config.ts";
import { spaceOf } from "./space-file.ts";
import type { TrialRecord, WorkerRecord } from "./store.ts";

const CONFIG: SweepConfig = {
  format: 1,
  hilum: "0",
  data: "/films",
  model: "cnn",
  space: spaceOf({ lr: { low: 1e-4, high: 1e-1, log: true } }, networkEntry("cnn")),
  first: { lr: 0.0005 },
  options: {},
  objectives: [{ name: "auroc", direction: "higher" }],
  sampler: "tpe",
  pruner: "asha",
  folds: null,
  holdout: null,
  seed: 1,
  threads: 1,
  steps: 9,
  budget: { trials: 3, seconds: null, images: null },
};

const SELF = newWorker();
const NOW = 1_000_000_000;

const worker = (id: string, change: Partial<WorkerRecord> = {}): WorkerRecord => ({
  ...SELF,
  id,
  begun: NOW - 10_000,
  seen: NOW - 1000,
  ...change,
});
const trial = (number: number, change: Partial<TrialRecord> = {}): TrialRecord => ({
  number,
  state: "complete",
  params: { lr: 0.01 },
  values: [0.5],
  reports: [{ step: 1, value: 0.5, images: 100 }],
  seconds: 1,
  error: null,
  worker: null,
  attempts: 1,
  ...change,
});
const running = (number: number, id: string, attempts = 1) =>
  trial(number, { state: "running", values: [], worker: id, attempts });

/** No process has this number and start. */
const DEAD = { pid: 2 ** 22 + 1, started: "1" };

describe("a worker", () => {
  const next = (trials: TrialRecord[], workers: WorkerRecord[] = [], config = CONFIG) =>
    decide(config, { trials, workers: [worker(SELF.id), ...workers] }, SELF, NOW);

  it("begins with the network's recipe, then with what the sampler says", () => {
    expect(next([])).toEqual({ kind: "begin", number: 0, params: { lr: 0.0005 } });
    const second = next([trial(0)]);
    expect(second).toMatchObject({ kind: "begin", number: 1 });
    expect(second).toEqual(next([trial(0)]));
  });

  it("takes over what a dead worker left, before it begins anything", () => {
    expect(next([running(0, "a")], [worker("a", DEAD)])).toEqual({ kind: "take over", number: 0 });
    expect(next([trial(0), running(1, "gone")])).toEqual({ kind: "take over", number: 1 });
  });

  it("leaves alone what a live worker has, however long it was not heard of", () => {
    const alive = worker("a", { seen: NOW - 3_600_000 });
    expect(next([running(0, "a")], [alive])).toMatchObject({ kind: "begin", number: 1 });
  });

  it("asks for a sign of life from workers of other machines", () => {
    const there = { ...DEAD, host: "elsewhere" };
    const quiet = worker("a", { ...there, seen: NOW - 600_000 });
    expect(next([running(0, "a")], [worker("a", there)])).toMatchObject({ kind: "begin" });
    expect(next([running(0, "a")], [quiet])).toEqual({ kind: "take over", number: 0 });
  });

  it("gives up a trial that took five workers with it", () => {
    const decision = next([running(0, "a", 5)], [worker("a", DEAD)]);
    expect(decision).toMatchObject({ kind: "give up", number: 0 });
  });

  it("waits for the others at the end, and is done when they are", () => {
    const trials = [trial(0), trial(1), running(2, "a")];
    expect(next(trials, [worker("a")])).toEqual({ kind: "wait" });
    expect(next([trial(0), trial(1), trial(2)])).toEqual({ kind: "over" });
  });

  it.each([
    ["images", { trials: null, images: 200, seconds: null }],
    ["seconds", { trials: null, images: null, seconds: 9 }],
  ])("ends with its budget of %s", (_, budget) => {
    const trials = [trial(0), trial(1)];
    expect(next(trials, [], { ...CONFIG, budget })).toEqual({ kind: "over" });
    const more = { ...budget, ...(budget.images ? { images: 201 } : { seconds: 9.5 }) };
    expect(next(trials, [], { ...CONFIG, budget: more })).toMatchObject({ kind: "begin" });
  });

  it("ends with its grid", () => {
    const grid = {
      ...CONFIG,
      sampler: "grid" as const,
      first: null,
      budget: { ...CONFIG.budget, trials: 99 },
    };
    expect(next([trial(0), trial(1)], [], grid)).toMatchObject({ kind: "begin", number: 2 });
    expect(next([trial(0), trial(1), trial(2)], [], grid)).toEqual({ kind: "over" });
  });
});

it("time counts once where workers overlap, and not at all where none was at work", () => {
  const spans = [
    { begun: 0, seen: 4000 },
    { begun: 1000, seen: 2000 },
    { begun: 3000, seen: 6000 },
    { begun: 10_000, seen: 11_500 },
  ];
  expect(workedSeconds(spans.toReversed())).toBe(7.5);
  expect(workedSeconds([])).toBe(0);
  expect(imagesOf([trial(0), trial(1, { reports: [] })])).toBe(100);
});
