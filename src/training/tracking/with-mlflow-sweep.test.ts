import { afterEach, beforeEach, expect, it } from "vitest";
import { type MlflowServer, mlflowServer } from "../../../test/support/mlflow-server.ts";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { networkEntry } from "../../models/index.ts";
import { resumeSweep, spaceOf, type TuneOptions, tune } from "../sweep/index.ts";
import type { SweepEvent } from "../sweep/work.ts";
import { withMlflowSweep } from "./with-mlflow-sweep.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 });
const OPTIONS: TuneOptions = {
  model: "cnn",
  train: { width: 0.1, size: 16, batch: 8, epochs: 3, threads: 1, valFraction: 0.3 },
  space: spaceOf({ lr: { low: 1e-4, high: 1e-1, log: true } }, networkEntry("cnn")),
  budget: { trials: 4 },
  workers: 1,
};

let server: MlflowServer;
let warnings: string[];
beforeEach(async () => {
  server = await mlflowServer();
  warnings = [];
});
afterEach(() => server.close());

const told = () => ({
  url: server.url,
  onWarning: (line: string) => warnings.push(line),
  patienceMs: 30_000,
});
const STATUSES = { complete: "FINISHED", pruned: "KILLED", failed: "FAILED" } as const;

it("an MLflow server gets a run for the sweep and one below it for each trial, once", async () => {
  const out = place("sweep");
  const stop = new AbortController();
  const start = (onEvent: (event: SweepEvent) => void) =>
    tune(films, OPTIONS, {
      out,
      cacheFolder,
      signal: stop.signal,
      onEvent(event) {
        onEvent(event);
        if (event.kind === "ended" && event.number === 1) stop.abort();
      },
    });
  const error = await rejection(withMlflowSweep(told(), out, start));
  expect(error).toMatchObject({ code: "interrupted" });
  expect(server.runs.map(({ status }) => status)[0]).toBe("KILLED");
  const goOn = (onEvent: (event: SweepEvent) => void) => resumeSweep({ out, cacheFolder, onEvent });
  const { trials, best } = await withMlflowSweep(told(), out, goOn);
  expect(warnings).toEqual([]);
  const [parent, ...children] = server.runs;
  expect(parent).toMatchObject({ name: "sweep of cnn seed 1", status: "FINISHED" });
  expect(parent!.metrics.at(-1)).toMatchObject({ key: "best/auroc", value: best!.value });
  expect(children.map(({ status }) => status)).toEqual(trials.map(({ state }) => STATUSES[state]));
  for (const [number, { tags, params, metrics }] of children.entries()) {
    expect(tags["mlflow.parentRunId"]).toBe(parent!.id);
    expect(Number(params.lr)).toBe(trials[number]!.params.lr);
    expect(metrics.filter(({ key }) => key === "objective")).toMatchObject([
      { value: trials[number]!.value, step: number },
    ]);
    const epochs = metrics.filter(({ key }) => key === "validation/auroc");
    expect(epochs.map(({ step }) => step)).toEqual(epochs.map((_, index) => index + 1));
  }
  const before = server.runs.length;
  await withMlflowSweep(told(), out, goOn);
  expect(server.runs).toHaveLength(before);
  for (const secret of [films, out]) expect(JSON.stringify(server.requests)).not.toContain(secret);
});

it("a sweep goes on where its server does not answer, and says so once", async () => {
  server.hinder = (_, response) => {
    response.writeHead(500).end("out of order");
    return true;
  };
  const out = place("unheard");
  const result = await withMlflowSweep(told(), out, (onEvent) =>
    tune(films, { ...OPTIONS, budget: { trials: 2 } }, { out, cacheFolder, onEvent }),
  );
  expect(result.trials).toHaveLength(2);
  expect(warnings).toHaveLength(2);
  expect(warnings.at(-1)).toMatch(/lacks a part of this sweep.*--resume with --mlflow/);
});
