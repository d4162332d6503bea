/** All runs below a folder, as rows to list, sort, filter and compare. */
import { existsSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { HilumError, nearest } from "../errors.ts";
import { isBetter, SELECTION_METRICS } from "../evaluation/index.ts";
import { isFolderLocked } from "../folder-lock.node.ts";
import type { EpochRecord } from "./checkpoint.ts";
import { foldersBelow } from "./folders-below.ts";
import { type RunConfig, type RunFolder, runFolder } from "./run-folder.ts";

export interface RunRow {
  /** Its folder, from the one that was searched. */
  readonly run: string;
  readonly model: string;
  readonly data: string;
  /** "training" while a live process works on it; "head" of a head that a sweep tried, without a model. */
  readonly state: "finished" | "training" | "unfinished" | "head";
  /** Without those of a pretrained backbone's head. */
  readonly epochs: number;
  /** The metric that chooses its best epoch, and its value there. */
  readonly metric: string;
  readonly value: number | null;
  /** All metrics of the best epoch, the head's among them; with folds of this fold. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly seconds: number;
  /** When its last epoch ended (of none, when it was written), in seconds since 1970. */
  readonly time: number;
}

/** Rows of all runs below the folder, newest first. Throws `file-not-found`. */
export function listRuns(folder: string): RunRow[] {
  if (!existsSync(folder))
    throw new HilumError(
      "file-not-found",
      `There is no folder ${folder}. Name one that holds runs.`,
      {
        path: folder,
      },
    );
  return foldersBelow(folder)
    .runs.flatMap((path) => rowOf(join(resolve(folder), path), folder) ?? [])
    .sort((a, b) => b.time - a.time);
}

/** Undefined for a folder whose config.json is of something else. */
export function rowOf(path: string, folder: string): RunRow | undefined {
  const run = runFolder(path);
  let config: RunConfig;
  try {
    config = run.config();
  } catch {
    return undefined;
  }
  const { settings } = config;
  const history = run.lines<EpochRecord>("history");
  const all = [...run.lines<EpochRecord>("headHistory"), ...history];
  const best = bestOf(all, settings.metric);
  return {
    run: relative(resolve(folder), path) || ".",
    model: settings.model,
    data: config.data,
    state: stateOf(run, config),
    epochs: history.length,
    metric: settings.metric,
    value: best?.metrics[settings.metric] ?? null,
    metrics: best?.metrics ?? {},
    seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
    time: all.at(-1)?.time ?? statSync(run.file("config")).mtimeMs / 1000,
  };
}

function stateOf(run: RunFolder, { networkSha256 }: RunConfig): RunRow["state"] {
  if (run.state() === "finished") return "finished";
  if (isFolderLocked(run.path)) return "training";
  return networkSha256 === null && existsSync(run.file("head")) ? "head" : "unfinished";
}

function bestOf(history: readonly EpochRecord[], metric: string): EpochRecord | undefined {
  const direction = SELECTION_METRICS[metric] ?? "higher";
  return history.reduce<EpochRecord | undefined>((best, record) => {
    const value = record.metrics[metric] ?? null;
    const top = best?.metrics[metric] ?? null;
    return value !== null && isBetter(value, top, direction) ? record : (best ?? record);
  }, undefined);
}

const COLUMNS = ["run", "model", "data", "state", "epochs", "value", "seconds", "time"] as const;

/** A column of the row, or one of its metrics. */
function cellOf(row: RunRow, column: string): string | number | null | undefined {
  return (COLUMNS as readonly string[]).includes(column)
    ? row[column as (typeof COLUMNS)[number]]
    : row.metrics[column];
}

function refuseColumn(column: string, rows: readonly RunRow[]): void {
  const known = [...COLUMNS, ...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)))];
  if (rows.length === 0 || known.includes(column)) return;
  const suggestion = nearest(column, known);
  throw new HilumError(
    "invalid-option",
    `Runs have no column "${column}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${known.join(", ")}.`,
    { column, suggestion, allowed: known },
  );
}

/** Rows by a column, the largest (or, of texts, the first) on top; "-" before its name turns it round. */
export function sortRuns(rows: readonly RunRow[], by: string): RunRow[] {
  const column = by.replace(/^-/, "");
  refuseColumn(column, rows);
  const sign = by.startsWith("-") ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [cellOf(a, column) ?? null, cellOf(b, column) ?? null];
    // What is not known comes last either way.
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const order =
      typeof left === "number" ? Number(right) - left : String(left).localeCompare(String(right));
    return sign * order;
  });
}

/** Rows for which every condition holds: `auroc>0.9`, `epochs<=5`, `model=cnn`, `run~sweeps`. */
export function filterRuns(rows: readonly RunRow[], conditions: readonly string[]): RunRow[] {
  return conditions.reduce<RunRow[]>(
    (left, condition) => {
      const [, column, sign, wanted] = condition.match(/^([\w-]+)(<=|>=|!=|[<>=~])(.*)$/) ?? [];
      if (column === undefined || sign === undefined || wanted === undefined)
        throw new HilumError(
          "invalid-option",
          `"${condition}" is no condition. Write, for example, auroc>0.9, model=cnn or run~sweeps.`,
          { condition },
        );
      refuseColumn(column, rows);
      return left.filter((row) => TESTS[sign]!(cellOf(row, column), wanted));
    },
    [...rows],
  );
}

type Test = (cell: string | number | null | undefined, wanted: string) => boolean;

const isKnown = (cell: unknown): cell is number => typeof cell === "number";
const TESTS: Readonly<Record<string, Test>> = {
  "<": (cell, wanted) => isKnown(cell) && cell < Number(wanted),
  ">": (cell, wanted) => isKnown(cell) && cell > Number(wanted),
  "<=": (cell, wanted) => isKnown(cell) && cell <= Number(wanted),
  ">=": (cell, wanted) => isKnown(cell) && cell >= Number(wanted),
  "=": (cell, wanted) => (isKnown(cell) ? cell === Number(wanted) : cell === wanted),
  "!=": (cell, wanted) => (isKnown(cell) ? cell !== Number(wanted) : cell !== wanted),
  "~": (cell, wanted) => String(cell).includes(wanted),
};

export interface RunDifference {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Settings, data, version and metrics in which two runs differ. Throws what reading them throws. */
export function diffRuns(before: string, after: string): RunDifference[] {
  const [left, right] = [before, after].map((path) => {
    const run = runFolder(resolve(path));
    if (run.state() === "absent")
      throw new HilumError("file-not-found", `There is no run in ${path}.`, { path });
    const { settings, hilum, data, manifestSha256, networkSha256 } = run.config();
    const metrics = Object.entries(rowOf(run.path, run.path)!.metrics);
    return {
      ...settings,
      hilum,
      data,
      manifestSha256,
      networkSha256,
      ...Object.fromEntries(metrics.map(([name, value]) => [`metric ${name}`, value])),
    } as Readonly<Record<string, unknown>>;
  }) as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])]
    .filter((name) => !isDeepStrictEqual(left[name], right[name]))
    .map((name) => ({ name, before: left[name] ?? null, after: right[name] ?? null }));
}
