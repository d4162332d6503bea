/** Brings an MLflow run up to what a run's folder holds: what it has already is not sent again. */
import type { EpochRecord } from "../checkpoint.ts";
import type { RunFolder } from "../run-folder.ts";
import type { Answer, Call } from "./call.ts";
import {
  type Identity,
  identityOf,
  type Metric,
  metricsOfEpoch,
  metricsOfResult,
} from "./entries.ts";
import { type Memory, memoryOf, remember } from "./memory.ts";

export type Status = "RUNNING" | "FINISHED" | "FAILED" | "KILLED";

export interface Target {
  readonly call: Call;
  readonly server: string;
  readonly experiment: string;
  /** The run that those made belong to. */
  readonly parent?: string | undefined;
}

/** How a run ends: for good, and what else is told of it then. */
export interface Ending {
  readonly isFinal?: boolean;
  readonly metrics?: readonly Metric[];
}

/** MLflow refuses more metrics than these in one request. */
const BATCH = 1000;

/** Throws an error of one line where the server does not take it. */
export async function sendRun(
  target: Target,
  folder: RunFolder,
  status: Status,
  { isFinal = status === "FINISHED", metrics: own = [] }: Ending = {},
): Promise<void> {
  const { call } = target;
  let memory = memoryOf(folder, target.server, target.experiment);
  if (memory.isFinished) return;
  memory = await withRun(target, folder, memory, identityOf(folder.config()));
  const run_id = memory.runId!;
  for (const batch of batches(news(folder, memory))) {
    await taken(call("POST", "runs/log-batch", { run_id, metrics: batch.metrics }));
    memory = remember(folder, { ...memory, sent: batch.sent });
  }
  if (status === "RUNNING") return;
  const now = Date.now();
  // Of a head that a sweep tried there is no result.
  const results = folder.state() === "finished" ? metricsOfResult(folder.result(), now) : [];
  const metrics = [...own, ...(status === "FINISHED" ? results : [])];
  if (metrics.length > 0) await taken(call("POST", "runs/log-batch", { run_id, metrics }));
  await taken(call("POST", "runs/update", { run_id, status, end_time: now }));
  if (isFinal) remember(folder, { ...memory, isFinished: true });
}

/** The MLflow run of a folder that holds no run itself, made where it is not there. */
export async function openedRun(
  target: Target,
  folder: RunFolder,
  identity: Identity,
): Promise<string> {
  await reopen(target, folder);
  const memory = memoryOf(folder, target.server, target.experiment);
  return (await withRun(target, folder, memory, identity)).runId!;
}

/** Ends such a run, which may be opened again; where there is none nothing is done. */
export async function endRun(
  { call, server, experiment }: Target,
  folder: RunFolder,
  status: Status,
  metrics: readonly Metric[],
): Promise<void> {
  const { runId: run_id } = memoryOf(folder, server, experiment);
  if (run_id === null) return;
  if (metrics.length > 0) await taken(call("POST", "runs/log-batch", { run_id, metrics }));
  await taken(call("POST", "runs/update", { run_id, status, end_time: Date.now() }));
}

/** Makes an ended MLflow run run again, as its training does. */
export async function reopen(target: Target, folder: RunFolder): Promise<void> {
  const memory = memoryOf(folder, target.server, target.experiment);
  if (memory.runId === null || memory.isFinished) return;
  const answer = await target.call("POST", "runs/update", {
    run_id: memory.runId,
    status: "RUNNING",
  });
  if (answer.isDone) return;
  if (answer.refusal.code !== "RESOURCE_DOES_NOT_EXIST") throw new Error(answer.refusal.message);
  // Somebody removed it there: all of it is sent anew.
  remember(folder, { ...memory, runId: null, sent: { head: 0, epochs: 0 } });
}

async function withRun(
  target: Target,
  folder: RunFolder,
  memory: Memory,
  { name, tags, params }: Identity,
): Promise<Memory> {
  if (memory.runId !== null) return memory;
  const { call, parent } = target;
  const experiment_id = await experimentId(target);
  const isAsked = folder.read("mlflow") !== undefined;
  const noted = remember(folder, memory);
  const own = { key: "hilum.run", value: memory.key };
  const run_id =
    (isAsked ? await lostRun(target, experiment_id, own.value) : undefined) ??
    textAt(
      await taken(
        call("POST", "runs/create", {
          experiment_id,
          run_name: name,
          start_time: Date.now(),
          tags: [...tags, own, ...(parent ? [{ key: "mlflow.parentRunId", value: parent }] : [])],
        }),
      ),
      ["run", "info", "run_id"],
    );
  await taken(call("POST", "runs/log-batch", { run_id, params }));
  return remember(folder, { ...noted, runId: run_id });
}

/** A run that the server made while its answer was lost. */
async function lostRun({ call }: Target, experiment: string, key: string) {
  const filter = `tags.\`hilum.run\` = '${key}'`;
  const found = await taken(
    call("POST", "runs/search", { experiment_ids: [experiment], filter, max_results: 1 }),
  );
  return Array.isArray(found.runs) ? textAt(found, ["runs", "0", "info", "run_id"]) : undefined;
}

async function experimentId({ call, experiment }: Target): Promise<string> {
  const find = () => call("GET", "experiments/get-by-name", { experiment_name: experiment });
  const found = await find();
  if (found.isDone) return textAt(found.body, ["experiment", "experiment_id"]);
  if (found.refusal.code !== "RESOURCE_DOES_NOT_EXIST") throw new Error(found.refusal.message);
  const made = await call("POST", "experiments/create", { name: experiment });
  if (made.isDone) return textAt(made.body, ["experiment_id"]);
  // Another run may have made it just now.
  if (made.refusal.code !== "RESOURCE_ALREADY_EXISTS") throw new Error(made.refusal.message);
  return textAt(await taken(find()), ["experiment", "experiment_id"]);
}

async function taken(call: Promise<Answer>): Promise<Readonly<Record<string, unknown>>> {
  const answer = await call;
  if (answer.isDone) return answer.body;
  throw new Error(answer.refusal.message);
}

function textAt(body: unknown, path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key],
    body,
  );
  if (typeof value === "string") return value;
  throw new Error(`its answer has no ${path.join(".")}, as an MLflow server's has`);
}

interface News {
  readonly metrics: readonly Metric[];
  /** What the server has once it took them. */
  readonly sent: Memory["sent"];
}

function news(folder: RunFolder, { sent }: Memory): News[] {
  const head = folder.lines<EpochRecord>("headHistory").filter(({ epoch }) => epoch > sent.head);
  const epochs = folder.lines<EpochRecord>("history").filter(({ epoch }) => epoch > sent.epochs);
  const headEnd = head.at(-1)?.epoch ?? sent.head;
  return [
    ...head.map((record) => ({
      metrics: metricsOfEpoch(record, "head/"),
      sent: { ...sent, head: record.epoch },
    })),
    ...epochs.map((record) => ({
      metrics: metricsOfEpoch(record),
      sent: { head: headEnd, epochs: record.epoch },
    })),
  ];
}

function batches(all: readonly News[]): News[] {
  const joined: News[] = [];
  for (const { metrics, sent } of all) {
    const last = joined.at(-1);
    if (last && last.metrics.length + metrics.length <= BATCH)
      joined[joined.length - 1] = { metrics: [...last.metrics, ...metrics], sent };
    else joined.push({ metrics, sent });
  }
  return joined;
}
