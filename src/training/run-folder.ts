/** The folder of a run: what is in it. Read next: occupancy.ts, the rules of entering it. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { HilumError, isHilumError } from "../errors.ts";
import { type FileContents, guardDisk, writeFileAtomically } from "../files.node.ts";
import { type Settings, SettingsSchema } from "./options.ts";

export const RUN_FILES = {
  config: "config.json",
  manifest: "manifest.jsonl",
  history: "history.jsonl",
  events: "events.out.tfevents.0.hilum",
  last: "checkpoints/last.safetensors",
  best: "checkpoints/best.safetensors",
  head: "head/head.safetensors",
  headHistory: "head/history.jsonl",
  headEvents: "head/events.out.tfevents.0.hilum",
  curves: "curves.svg",
  curvesPicture: "curves.png",
  preview: "preview.png",
  /** What the model says of each validation film. */
  validation: "validation.csv",
  /** What the head sees of up to 400 of them. */
  features: "validation-features.safetensors",
  model: "model.onnx",
  result: "result.json",
  /** Which run it is at an MLflow server, and how much of it is there. */
  mlflow: "mlflow.json",
} as const;
export type RunFile = keyof typeof RUN_FILES;

export const CHECKPOINTS = "checkpoints";
export const HEAD_FOLDER = "head";

export interface RunConfig {
  readonly format: 1;
  readonly hilum: string;
  /** Where the data were, as an absolute path. */
  readonly data: string;
  readonly settings: Settings;
  /** Where the backbone's weights were, as an absolute path; null without such a file. */
  readonly weights: string | null;
  /** Digest of what was trained on: keys, targets, patients, parts and contents. */
  readonly manifestSha256: string;
  /** Digest of the graph from film to loss with its initial weights; null where only a head was tried. */
  readonly networkSha256: string | null;
  /** Leaks that were allowed, in words. */
  readonly leaks: readonly string[];
}

export interface RunResult {
  readonly run: string;
  readonly model: string;
  /** 0 where it is the head on the frozen backbone. */
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
  write(name: RunFile, contents: FileContents): void;
  read(name: RunFile): Uint8Array | undefined;
  /** A file of JSON lines, none where it is not there. Throws `run-damaged`. */
  lines<T>(name: RunFile): T[];
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
    write: (name, contents) => writeRunFile(path, file(name), contents),
    read: (name) => (existsSync(file(name)) ? readFileSync(file(name)) : undefined),
    lines: (name) => readLines(file(name)),
  };
}

function writeRunFile(folder: string, path: string, contents: FileContents): void {
  try {
    writeFileAtomically(path, contents);
  } catch (cause) {
    if (isHilumError(cause) && cause.code === "disk-full")
      throw new HilumError(
        "disk-full",
        `Cannot write ${path}: the disk (or quota) is full. What was saved before is whole. Free some space and go on with the same command and --resume.`,
        cause.details,
        cause,
      );
    if (existsSync(dirname(path))) throw cause;
    throw new HilumError(
      "run-damaged",
      `${folder} was removed while its run went on. Train again, into a folder that stays.`,
      { path: folder },
      cause,
    );
  }
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

function readLines<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T);
  } catch (cause) {
    return refuseDamaged(path, "has a line that cannot be read", cause);
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
  // A run that was begun before there was an option has not made use of it.
  for (const option of Object.keys(SettingsSchema.properties) as (keyof Settings)[])
    if (!isDeepStrictEqual(before[option] ?? null, settings[option]))
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
