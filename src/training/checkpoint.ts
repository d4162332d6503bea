/** Checkpoints: one file each, so that it is whole or not there. State as tensors, progress beside it. */
import { readSafetensors, type Tensor, writeSafetensors } from "../onnx/index.ts";
import { type RunFile, type RunFolder, refuseDamaged } from "./run-folder.ts";

/** One epoch of the history. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's steps. */
  readonly loss: number;
  readonly valLoss: number | null;
  /** On validation, at a threshold of 0.5. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** At the end of the epoch. */
  readonly learningRate: number;
  /** Validation included. */
  readonly seconds: number;
  /** While training. */
  readonly imagesPerSecond: number;
  /** When it ended, in seconds since 1970. */
  readonly time: number;
}

/** Where training stands: everything but tensors that the next step depends on. */
export interface Progress {
  /** Of the epoch under way, from 0. */
  readonly epoch: number;
  /** Steps of that epoch that are done. */
  readonly step: number;
  /** Steps since the start. */
  readonly totalSteps: number;
  readonly lossSum: number;
  readonly seconds: number;
  /** Null before the first epoch is done; a null value where the metric was not defined. */
  readonly best: { readonly epoch: number; readonly value: number | null } | null;
  /** Epochs since the metric last improved, and how often the plateau schedule has acted. */
  readonly stale: number;
  readonly drops: number;
  readonly history: readonly EpochRecord[];
}

export const FIRST_PROGRESS: Progress = {
  epoch: 0,
  step: 0,
  totalSteps: 0,
  lossSum: 0,
  seconds: 0,
  best: null,
  stale: 0,
  drops: 0,
  history: [],
};

export interface Checkpoint {
  readonly state: ReadonlyMap<string, Tensor>;
  readonly progress: Progress;
}

export function saveLast(folder: RunFolder, { state, progress }: Checkpoint): void {
  const metadata = { progress: JSON.stringify(progress) };
  folder.write("last", writeSafetensors({ tensors: state, metadata }));
}

/** The last checkpoint, or undefined where there is none yet. Throws `run-damaged`. */
export function loadLast(folder: RunFolder): Checkpoint | undefined {
  const file = readWhole(folder, "last");
  if (!file) return undefined;
  try {
    return { state: file.tensors, progress: JSON.parse(file.metadata.progress!) as Progress };
  } catch (cause) {
    return refuseDamaged(folder.file("last"), "does not say where training stood", cause);
  }
}

export function saveBest(folder: RunFolder, state: ReadonlyMap<string, Tensor>): void {
  folder.write("best", writeSafetensors({ tensors: state, metadata: {} }));
}

/** The weights of the best epoch so far. Throws `run-damaged` where they are not there. */
export function loadBest(folder: RunFolder): ReadonlyMap<string, Tensor> {
  return (
    readWhole(folder, "best")?.tensors ??
    refuseDamaged(folder.file("best"), "is not there any more")
  );
}

function readWhole(
  folder: RunFolder,
  name: RunFile,
): ReturnType<typeof readSafetensors> | undefined {
  const bytes = folder.read(name);
  try {
    return bytes && readSafetensors(bytes, folder.file(name));
  } catch (cause) {
    return refuseDamaged(folder.file(name), "is a damaged checkpoint", cause);
  }
}
