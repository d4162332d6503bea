/** The folder of a run: what is in it, and the rules of entering it. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { HilumError } from "../errors.ts";
import { guardDisk, writeFileAtomically } from "../files.node.ts";
import { lockFolder } from "../folder-lock.node.ts";
import { type Settings, SettingsSchema } from "./options.ts";

export const RUN_FILES = {
  config: "config.json",
  manifest: "manifest.jsonl",
  history: "history.jsonl",
  events: "events.out.tfevents.0.hilum",
  last: "checkpoints/last.safetensors",
  best: "checkpoints/best.safetensors",
  curves: "curves.svg",
  curvesPicture: "curves.png",
  preview: "preview.png",
  model: "model.onnx",
  result: "result.json",
} as const;
export type RunFile = keyof typeof RUN_FILES;

const CHECKPOINTS = "checkpoints";

export interface RunConfig {
  readonly format: 1;
  readonly hilum: string;
  /** Where the data were, as an absolute path. */
  readonly data: string;
  readonly settings: Settings;
  /** Digest of what was trained on: keys, targets, patients, parts and contents. */
  readonly manifestSha256: string;
  /** Digest of the graph from film to loss with its initial weights. */
  readonly networkSha256: string;
  /** Leaks that were allowed, in words. */
  readonly leaks: readonly string[];
}

export interface RunResult {
  readonly run: string;
  readonly model: string;
  readonly bestEpoch: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly epochs: number;
  readonly images: { readonly train: number; readonly validation: number };
}

/** What `result.json` holds: where the folder lies is not the run's to know. */
type Outcome = Omit<RunResult, "run" | "model">;

export type RunState = "absent" | "started" | "finished";

export interface RunFolder {
  readonly path: string;
  file(name: RunFile): string;
  state(): RunState;
  config(): RunConfig;
  result(): RunResult;
  write(name: RunFile, contents: string | Uint8Array): void;
  read(name: RunFile): Uint8Array | undefined;
}

export function runFolder(path: string): RunFolder {
  const file = (name: RunFile) => join(path, RUN_FILES[name]);
  return {
    path,
    file,
    state() {
      if (existsSync(file("result"))) return "finished";
      return existsSync(file("config")) ? "started" : "absent";
    },
    config: () => readConfig(file("config")),
    // A run folder may have been moved since.
    result: () => ({ run: path, model: file("model"), ...(readJson(file("result")) as Outcome) }),
    write: (name, contents) => writeFileAtomically(file(name), contents),
    read: (name) => (existsSync(file(name)) ? readFileSync(file(name)) : undefined),
  };
}

function readConfig(path: string): RunConfig {
  const config = readJson(path) as Partial<RunConfig> | null;
  if (config?.format === 1 && config.settings) return config as RunConfig;
  return refuseDamaged(path, "is no configuration of a run");
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    return refuseDamaged(path, "cannot be read as JSON", cause);
  }
}

/** Throws `run-damaged`. */
export function refuseDamaged(path: string, problem: string, cause?: unknown): never {
  throw new HilumError(
    "run-damaged",
    `${path} ${problem}. The run cannot be gone on with: train into another folder.`,
    { path },
    cause,
  );
}

/**
 * Does the work while no other process may, in a folder that is made if need be and removed again
 * when nothing came into it. Throws `folder-locked`, `run-exists`, `invalid-option`, `disk-full`.
 */
export async function withRunFolder<T>(
  folder: RunFolder,
  { isResumed }: { readonly isResumed: boolean },
  work: () => Promise<T>,
): Promise<T> {
  refuseEntry(folder, { isResumed });
  const isOurs = makeFolder(folder.path);
  let unlock: (() => void) | undefined;
  try {
    unlock = lockFolder(folder.path);
    // Another process may have come and gone before the lock was ours.
    refuseEntry(folder, { isResumed });
    removeUnfinished(folder.path);
    return await work();
  } finally {
    unlock?.();
    if (isOurs) removeEmpty(folder.path);
  }
}

function refuseEntry(folder: RunFolder, { isResumed }: { isResumed: boolean }): void {
  const state = folder.state();
  if (state !== "absent" && !isResumed)
    throw new HilumError(
      "run-exists",
      `${folder.path} holds a run already. Go on with it by --resume, or choose another --out.`,
      { run: folder.path, state },
    );
  if (state === "absent") refuseStrangers(folder.path);
}

/** Throws `run-exists` for a folder with files of another origin: names might coincide. */
export function refuseStrangers(path: string): void {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory())
    throw new HilumError(
      "invalid-option",
      `${path} is a file, and a run needs a folder. Choose another --out.`,
      { option: "out", value: path },
    );
  const stranger = readdirSync(path).find((name) => !name.startsWith("."));
  if (stranger === undefined) return;
  throw new HilumError(
    "run-exists",
    `${path} is no run, but holds files already (${stranger}). Choose a new or empty folder as --out.`,
    { run: path, state: "other", file: stranger },
  );
}

/** Returns whether the folder is new. */
function makeFolder(path: string): boolean {
  const isNew = !existsSync(path);
  try {
    guardDisk(path, () => mkdirSync(path, { recursive: true }));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof HilumError || code === undefined) throw cause;
    throw new HilumError(
      "file-forbidden",
      `The folder ${path} cannot be made (${code}). Check the path and its permissions, or choose another --out.`,
      { path, reason: code },
      cause,
    );
  }
  return isNew;
}

/** What a killed process was writing when it ended. */
function removeUnfinished(path: string): void {
  for (const below of [path, join(path, CHECKPOINTS)])
    for (const name of existsSync(below) ? readdirSync(below) : [])
      if (/^\..*\.tmp$/.test(name)) rmSync(join(below, name), { force: true });
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  }
}

/** The first file of a run: what it is. A folder without it is no run. */
export function beginRun(folder: RunFolder, config: RunConfig): void {
  folder.write("config", `${JSON.stringify(config, null, 2)}\n`);
}

export function makeCheckpointFolder(folder: RunFolder): void {
  const path = join(folder.path, CHECKPOINTS);
  guardDisk(path, () => mkdirSync(path, { recursive: true }));
}

/**
 * Throws `settings-changed` naming the first setting in which a resumed run would differ: in the
 * order of the schema, in which a cause (the model) comes before what follows from it (its recipe).
 */
export function refuseChanges(folder: RunFolder, settings: Settings): void {
  const before = folder.config().settings;
  for (const option of Object.keys(SettingsSchema.properties) as (keyof Settings)[])
    if (!isDeepStrictEqual(before[option], settings[option]))
      refuseChange(folder, { option, before: before[option], now: settings[option] });
}

/** Throws `settings-changed`. */
export function refuseChange(
  folder: RunFolder,
  { option, before, now }: { option: string; before: unknown; now: unknown },
): never {
  throw new HilumError(
    "settings-changed",
    `${folder.path} was trained with ${option} = ${JSON.stringify(before)}, not ${JSON.stringify(now)}. Resume it with the same settings, or choose another --out.`,
    { run: folder.path, option, before, now },
  );
}
