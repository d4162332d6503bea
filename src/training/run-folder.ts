/** The folder of a run: what is in it, and the rules of entering it. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HilumError } from "../errors.ts";
import { writeFileAtomically } from "../files.node.ts";
import type { Settings } from "./options.ts";

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

export interface RunConfig {
  readonly format: 1;
  readonly hilum: string;
  /** Where the data were, as an absolute path. */
  readonly data: string;
  readonly settings: Settings;
  /** Digest of what was trained on: keys, targets, patients and parts. */
  readonly manifestSha256: string;
}

export interface RunResult {
  readonly run: string;
  readonly model: string;
  readonly bestEpoch: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly epochs: number;
  readonly images: { readonly train: number; readonly validation: number };
}

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
    config: () => readJson(file("config")) as RunConfig,
    result: () => readJson(file("result")) as RunResult,
    write: (name, contents) => writeFileAtomically(file(name), contents),
    read: (name) => (existsSync(file(name)) ? readFileSync(file(name)) : undefined),
  };
}

export function createRunFolder(folder: RunFolder): void {
  mkdirSync(join(folder.path, "checkpoints"), { recursive: true });
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new HilumError(
      "run-damaged",
      `${path} cannot be read as JSON. The run is damaged: train into another folder.`,
      { path },
      cause,
    );
  }
}

/** Throws `run-exists` for a folder that holds a run which nobody asked to go on with. */
export function refuseExisting(folder: RunFolder): void {
  throw new HilumError(
    "run-exists",
    `${folder.path} holds a run already. Go on with it by --resume, or choose another --out.`,
    { run: folder.path, state: folder.state() },
  );
}

/** Throws `settings-changed` naming the first setting in which a resumed run would differ. */
export function refuseChanges(folder: RunFolder, settings: Settings): void {
  const before = folder.config().settings as unknown as Record<string, unknown>;
  for (const [option, value] of Object.entries(settings)) {
    if (JSON.stringify(before[option]) === JSON.stringify(value)) continue;
    throw new HilumError(
      "settings-changed",
      `${folder.path} was trained with ${option} = ${JSON.stringify(before[option])}, not ${JSON.stringify(value)}. Resume it with the same settings, or choose another --out.`,
      { run: folder.path, option, before: before[option], now: value },
    );
  }
}
