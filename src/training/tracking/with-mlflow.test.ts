import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MlflowServer, mlflowServer } from "../../../test/support/mlflow-server.ts";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import type { EpochRecord } from "../checkpoint.ts";
import type { TrainContext } from "../context.ts";
import { trainFolds } from "../folds.ts";
import type { TrainOptions } from "../options.ts";
import { runFolder } from "../run-folder.ts";
import { train } from "../train.ts";
import { type MlflowOptions, withMlflow } from "./with-mlflow.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 });
const TINY = { model: "cnn", width: 0.1, size: 16, batch: 8, epochs: 3, threads: 1 } as const;

let server: MlflowServer;
let warnings: string[];
beforeEach(async () => {
  server = await mlflowServer();
  warnings = [];
});
afterEach(() => server.close());

const told = (more: Partial<MlflowOptions> = {}): MlflowOptions => ({
  url: server.url,
  onWarning: (line) => warnings.push(line),
  patienceMs: 3000,
  ...more,
});

const run = (out: string, context: Partial<TrainContext> = {}, options: TrainOptions = {}) =>
  withMlflow(told(), (onEvent) =>
    train(films, { ...TINY, ...options }, { out, cacheFolder, ...context, onEvent }),
  );

const historyOf = (out: string): EpochRecord[] =>
  readFileSync(runFolder(out).file("history"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as EpochRecord);

const lossesOf = (index = 0) =>
  server.runs[index]!.metrics.filter(({ key }) => key === "loss/train").map(
    ({ step, value, timestamp }) => ({ step, value, timestamp }),
  );

const expectedLosses = (out: string) =>
  historyOf(out).map(({ epoch, loss, time }) => ({
    step: epoch,
    value: loss,
    timestamp: Math.round(time * 1000),
  }));

/** Stops after the first epoch, as a signal would. */
async function interrupted(out: string): Promise<void> {
  const stop = new AbortController();
  const error = await rejection(run(out, { signal: stop.signal, onEpoch: () => stop.abort() }));
  expect(error).toMatchObject({ code: "interrupted" });
}

describe("an MLflow server", () => {
  it("gets settings, each epoch's metrics with step and time, and the end", async () => {
    const out = place("run");
    const { metrics, bestEpoch } = await run(out, {}, { seed: 7 });
    const [kept, ...others] = server.runs;
    expect(others).toEqual([]);
    expect(kept).toMatchObject({ experiment: "hilum", status: "FINISHED", name: "cnn seed 7" });
    expect(kept!.params).toMatchObject({
      model: "cnn",
      seed: "7",
      epochs: "3",
      optimizer: "adamw",
    });
    expect(kept!.tags["hilum.version"]).toMatch(/^\d/);
    expect(kept!.tags["hilum.notice"]).toMatch(/not for clinical use/i);
    expect(lossesOf()).toEqual(expectedLosses(out));
    const best = kept!.metrics.find(({ key }) => key === "best/auroc");
    expect(best).toMatchObject({ value: metrics.auroc, step: bestEpoch });
    expect(warnings).toEqual([]);
  });

  it("is told of no file, no folder and no patient", async () => {
    const out = place("secret");
    await run(out, {}, { patientPattern: "(person[0-9]+)", seed: 3 });
    const sent = JSON.stringify(server.requests);
    const names = readdirSync(films, { recursive: true, encoding: "utf8" }).map((at) =>
      basename(at),
    );
    const manifest = readFileSync(runFolder(out).file("manifest"), "utf8").trim().split("\n");
    const patients = manifest.map((line) => (JSON.parse(line) as { patient: string }).patient);
    expect(patients.length).toBeGreaterThan(20);
    for (const secret of [films, out, basename(out), "person[0-9]", ...patients, ...names])
      if (!["NORMAL", "PNEUMONIA"].includes(secret)) expect(sent).not.toContain(secret);
  });

  it("sees an interrupted run as killed, and its resumption in the same run, no epoch twice", async () => {
    const out = place("resumed");
    await interrupted(out);
    expect(server.runs.map(({ status }) => status)).toEqual(["KILLED"]);
    await run(out, { isResumed: true });
    expect(server.runs.map(({ status }) => status)).toEqual(["FINISHED"]);
    expect(lossesOf()).toEqual(expectedLosses(out));
    const updates = server.requests.filter(({ path }) => path.endsWith("runs/update"));
    expect(updates.map(({ body }) => (JSON.parse(body) as { status: string }).status)).toEqual([
      "KILLED",
      "RUNNING",
      "FINISHED",
    ]);
  });

  it("gets all of a run anew that was removed there meanwhile", async () => {
    const out = place("removed");
    await interrupted(out);
    server.runs.length = 0;
    await run(out, { isResumed: true });
    expect(server.runs.map(({ status }) => status)).toEqual(["FINISHED"]);
    expect(lossesOf()).toEqual(expectedLosses(out));
  });

  it("sees a run that threw as failed", async () => {
    const onEpoch = () => {
      throw new Error("own");
    };
    await expect(run(place("failed"), { onEpoch })).rejects.toThrow("own");
    expect(server.runs.map(({ status }) => status)).toEqual(["FAILED"]);
  });

  it("gets a run for each fold", async () => {
    const out = place("folds");
    await withMlflow(told({ experiment: "five" }), (onEvent) =>
      trainFolds(films, { ...TINY, epochs: 1, folds: 2 }, { out, cacheFolder, onEvent }),
    );
    expect(server.runs.map(({ name, status, experiment }) => [name, status, experiment])).toEqual([
      ["cnn seed 1 fold 1 of 2", "FINISHED", "five"],
      ["cnn seed 1 fold 2 of 2", "FINISHED", "five"],
    ]);
  });

  it("makes one run where the answer that told of it was lost", async () => {
    let isLost = false;
    server.loses = (path) => {
      const loses = path === "runs/create" && !isLost;
      isLost ||= loses;
      return loses;
    };
    const out = place("lost");
    await run(out);
    expect(isLost).toBe(true);
    expect(server.runs.map(({ status }) => status)).toEqual(["FINISHED"]);
    expect(server.runs[0]!.params.model).toBe("cnn");
    expect(lossesOf()).toEqual(expectedLosses(out));
  });
});

describe("a server that is not to be had", () => {
  it("costs one warning where it comes back, and gets the rest", async () => {
    const out = place("back");
    let isBack = false;
    server.hinder = (_path, response) => {
      if (!isBack) response.destroy();
      return !isBack;
    };
    const onEpoch = ({ epoch }: EpochRecord) => {
      isBack = epoch === 3;
      // As long as an epoch of a real run gives the first request to fail.
      return new Promise<void>((done) => setTimeout(done, 50));
    };
    await run(out, { onEpoch });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^warning: MLflow at http:.* cannot be reached .*Training goes on/);
    expect(lossesOf()).toEqual(expectedLosses(out));
    expect(server.runs[0]!.status).toBe("FINISHED");
  });

  it("leaves the run as it is, and gets all of it by resuming the finished run", async () => {
    const out = place("down");
    server.hinder = (_path, response) => response.destroy() !== undefined;
    const result = await run(out);
    expect(warnings.at(-1)).toMatch(/lacks a part of this run.*--resume/);
    server.hinder = () => false;
    expect(await run(out, { isResumed: true })).toEqual(result);
    expect(lossesOf()).toEqual(expectedLosses(out));
    expect(server.runs.map(({ status }) => status)).toEqual(["FINISHED"]);
    const before = server.requests.length;
    await run(out, { isResumed: true });
    expect(server.requests).toHaveLength(before);
  });

  it("is not waited for longer than the patience allows", async () => {
    server.hinder = () => true;
    const result = await withMlflow(told({ patienceMs: 100 }), (onEvent) =>
      train(films, TINY, { out: place("silent"), cacheFolder, onEvent }),
    );
    expect(result.epochs).toBe(3);
    expect(warnings.at(-1)).toMatch(/does not answer in time/);
  });

  it.each([
    [200, "<html>hello</html>", /answers 200, not as an MLflow server does/],
    [200, "{}", /has no experiment.experiment_id/],
    [502, "Bad Gateway", /answers 502/],
    [
      401,
      '{"error_code":"UNAUTHENTICATED","message":"who\\nare you"}',
      /UNAUTHENTICATED: who are you/,
    ],
  ])("is named where it answers %i %s", async (status, body, warning) => {
    server.hinder = (_path, response) => {
      response.writeHead(status).end(body);
      return true;
    };
    const { epochs } = await run(place("wrong"));
    expect(epochs).toBe(3);
    expect(warnings.at(-1)).toMatch(warning);
    expect(warnings.every((line) => !line.includes("\n"))).toBe(true);
  });
});

describe("credentials in the address", () => {
  it("go to the server, and nowhere else", async () => {
    const out = place("credentials");
    const url = server.url.replace("//", "//anna:s%40crt@");
    await withMlflow(told({ url }), async (onEvent) => {
      const result = await train(films, TINY, { out, cacheFolder, onEvent });
      await server.close();
      return result;
    });
    const basic = Buffer.from("anna:s@crt").toString("base64");
    expect(server.requests.length).toBeGreaterThan(0);
    for (const { headers } of server.requests) expect(headers).toContain(`Basic ${basic}`);
    const remembered = readFileSync(runFolder(out).file("mlflow"), "utf8");
    expect(warnings).not.toEqual([]);
    expect(`${warnings}${remembered}`).not.toMatch(/anna|crt|YW5uY/);
  });

  it.each([
    "ftp://anna:secret@host",
    "anna:secret@host",
    "http://h:secret@host:99999",
    "http://host?key=secret",
  ])("are not repeated where %s is refused, before anything is trained", async (url) => {
    const out = place("refused");
    const error = await rejection(
      withMlflow(told({ url }), () => train(films, TINY, { out, cacheFolder })),
    );
    expect(error).toMatchObject({ code: "invalid-option" });
    expect(JSON.stringify({ ...error, message: error.message })).not.toMatch(/secret/);
    expect(runFolder(out).state()).toBe("absent");
  });
});

it("a broken memory of the server costs a second run there, and no error", async () => {
  const out = place("broken");
  await interrupted(out);
  rmSync(runFolder(out).file("mlflow"));
  runFolder(out).write("mlflow", "{");
  await run(out, { isResumed: true });
  expect(server.runs.map(({ status }) => status)).toEqual(["KILLED", "FINISHED"]);
  expect(lossesOf(1)).toEqual(expectedLosses(out));
});
