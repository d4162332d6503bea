/** Runs that a real MLflow server was told of, as its own REST API gives them back. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { isHilumError } from "../../src/errors.ts";
import { networkEntry } from "../../src/models/index.ts";
import { spaceOf, train, tune, withMlflow, withMlflowSweep } from "../../src/training/index.ts";
import type { Row } from "./row.ts";

const STARTS_WITHIN_MS = 600_000;

/** Trains and tunes beside a server of the environment, and asks it for what it was told. */
export async function checkMlflow(work: string, python: string): Promise<Row[]> {
  const folder = join(work, "mlflow");
  mkdirSync(folder, { recursive: true });
  const { url, stop } = await startServer(folder, python);
  try {
    return [...(await checkRun(work, url)), ...(await checkSweep(work, url))];
  } finally {
    await stop();
  }
}

const rowsOf = (subject: string, measured: Readonly<Record<string, number>>): Row[] =>
  Object.entries(measured).map(([check, value]) => ({
    check: `mlflow: ${check}`,
    subject,
    measured: value,
    limit: 0,
  }));

/** A run that is interrupted and resumed. */
async function checkRun(work: string, url: string): Promise<Row[]> {
  const out = join(work, "runs", "tracked");
  const warnings = await trainInTwoParts(work, out, url);
  const history = linesOf(out);
  const [run, ...others] = await runsAt(url, "interop");
  return rowsOf("runs/tracked", {
    "warnings, runs too many, not finished":
      warnings + others.length + Number(run?.info.status !== "FINISHED"),
    "params that differ": paramsThatDiffer(run!, settingsOf(out)),
    "epochs' values that differ": await valuesThatDiffer(url, run!, history),
  });
}

/** A sweep: a run for itself, below it one for each trial. */
async function checkSweep(work: string, url: string): Promise<Row[]> {
  const out = join(work, "sweeps", "tracked");
  let warnings = 0;
  const { trials, best } = await withMlflowSweep(
    { url, experiment: "interop sweep", onWarning: () => warnings++ },
    out,
    (onEvent) =>
      tune(
        join(work, "phantoms"),
        {
          model: "cnn",
          train: { width: 0.5, size: 64, epochs: 3, batch: 8 },
          space: spaceOf({ lr: { low: 1e-4, high: 1e-2, log: true } }, networkEntry("cnn")),
          budget: { trials: 3 },
          pruner: "none",
          workers: 1,
        },
        { out, cacheFolder: join(work, "cache"), onEvent },
      ),
  );
  const runs = await runsAt(url, "interop sweep");
  const parent = runs.find(({ data }) => data.tags.every(({ key }) => key !== PARENT));
  const children = runs.filter(({ data }) =>
    data.tags.some(({ key, value }) => key === PARENT && value === parent?.info.run_id),
  );
  const wrong = { params: 0, values: 0, objectives: 0 };
  for (const { number, value } of trials) {
    const folder = join(out, "trials", String(number).padStart(4, "0"));
    const settings = settingsOf(folder);
    const run = children.find(
      ({ data }) => data.params.find(({ key }) => key === "lr")?.value === String(settings.lr),
    );
    wrong.params += run ? paramsThatDiffer(run, settings) : 1;
    wrong.values += run ? await valuesThatDiffer(url, run, linesOf(folder)) : 1;
    wrong.objectives += Number(metricOf(run, "objective") !== value);
  }
  wrong.objectives += Number(metricOf(parent, "best/auroc") !== best?.value);
  return rowsOf("sweeps/tracked", {
    "warnings, trials that are not there, not finished":
      warnings +
      Math.abs(trials.length - children.length) +
      runs.length -
      children.length -
      1 +
      runs.filter(({ info }) => info.status !== "FINISHED").length,
    "trials' params that differ": wrong.params,
    "trials' epochs that differ": wrong.values,
    "objectives that differ": wrong.objectives,
  });
}

const PARENT = "mlflow.parentRunId";

const metricOf = (run: TheirRun | undefined, name: string) =>
  run?.data.metrics?.find(({ key }) => key === name)?.value;

const linesOf = (run: string) =>
  readFileSync(join(run, "history.jsonl"), "utf8").trim().split("\n");

const settingsOf = (run: string) =>
  (
    JSON.parse(readFileSync(join(run, "config.json"), "utf8")) as {
      settings: Readonly<Record<string, unknown>>;
    }
  ).settings;

async function startServer(folder: string, python: string) {
  const port = await freePort();
  const store = `sqlite:///${join(folder, "mlflow.db")}`;
  const words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", `${port}`];
  const stores = ["--backend-store-uri", store, "--artifacts-destination", folder];
  const child = spawn(python, [...words, ...stores, "--workers", "1"], {
    cwd: folder,
    // Its workers are in its group: all of them end together.
    detached: true,
    stdio: "ignore",
    env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "true" },
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = () => stopGroup(child);
  const isUp = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const begun = Date.now(); !(await isUp()); ) {
    if (child.exitCode === null && Date.now() - begun < STARTS_WITHIN_MS) await pause(200);
    else {
      await stop();
      throw new Error(`The MLflow server does not start (exit code ${child.exitCode}).`);
    }
  }
  return { url, stop };
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  const isEnded = await Promise.race([ended.then(() => true), pause(5000).then(() => false)]);
  if (!isEnded) process.kill(-child.pid, "SIGKILL");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Returns how many warnings there were. */
async function trainInTwoParts(work: string, out: string, url: string): Promise<number> {
  let warnings = 0;
  const part = (signal: AbortSignal, onEpoch: () => void) =>
    withMlflow({ url, experiment: "interop", onWarning: () => warnings++ }, (onEvent) =>
      train(
        join(work, "phantoms"),
        { model: "cnn", width: 0.5, size: 64, epochs: 3, batch: 8 },
        { out, cacheFolder: join(work, "cache"), isResumed: true, signal, onEpoch, onEvent },
      ),
    );
  const stop = new AbortController();
  await part(stop.signal, () => stop.abort()).catch((error: unknown) => {
    if (!isHilumError(error) || error.code !== "interrupted") throw error;
  });
  await part(new AbortController().signal, () => {});
  return warnings;
}

interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

interface TheirRun {
  readonly info: { readonly run_id: string; readonly status: string };
  readonly data: {
    readonly params: readonly Entry<string>[];
    readonly tags: readonly Entry<string>[];
    readonly metrics?: readonly Entry<number>[];
  };
}

async function asked<T>(url: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    headers: { "content-type": "application/json" },
  });
  if (!response.ok) throw new Error(`MLflow answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

async function runsAt(url: string, name: string): Promise<TheirRun[]> {
  const path = `experiments/get-by-name?${new URLSearchParams({ experiment_name: name })}`;
  const { experiment } = await asked<{ experiment: { experiment_id: string } }>(url, path);
  const ids = [experiment.experiment_id];
  const { runs } = await asked<{ runs: TheirRun[] }>(url, "runs/search", { experiment_ids: ids });
  return runs;
}

function paramsThatDiffer({ data }: TheirRun, settings: Readonly<Record<string, unknown>>): number {
  const theirs = new Map(data.params.map(({ key, value }) => [key, value]));
  const ours = Object.entries(settings).filter(([, value]) => value !== null);
  const wrong = ours.filter(
    ([key, value]) =>
      theirs.get(key) !== (typeof value === "string" ? value : JSON.stringify(value)),
  );
  return wrong.length + theirs.size - ours.length;
}

async function valuesThatDiffer(url: string, { info }: TheirRun, history: readonly string[]) {
  let wrong = Number(history.length !== 3);
  for (const [key, ofEpoch] of [
    ["loss/train", (record: Epoch) => record.loss],
    ["loss/validation", (record: Epoch) => record.valLoss],
    ["validation/auroc", (record: Epoch) => record.metrics.auroc],
  ] as const) {
    const path = `metrics/get-history?${new URLSearchParams({ run_id: info.run_id, metric_key: key })}`;
    const { metrics } = await asked<{ metrics: (Entry<number> & At)[] }>(url, path);
    const theirs = metrics.map(({ step, value, timestamp }) => [
      Number(step),
      Number(timestamp),
      value,
    ]);
    const ours = history.map((line) => {
      const record = JSON.parse(line) as Epoch;
      return [record.epoch, Math.round(record.time * 1000), ofEpoch(record)];
    });
    if (JSON.stringify(theirs) !== JSON.stringify(ours)) wrong++;
  }
  return wrong;
}

interface At {
  readonly step: number | string;
  readonly timestamp: number | string;
}

interface Epoch {
  readonly epoch: number;
  readonly time: number;
  readonly loss: number;
  readonly valLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
}
