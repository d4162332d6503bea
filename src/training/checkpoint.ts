/** Checkpoints: one file each, so that it is whole or not there. State as tensors, progress beside it. */
import { readSafetensors, type Tensor, writeSafetensors } from "../onnx/index.ts";
import type { RunFolder } from "./run-folder.ts";

/** One epoch of the history. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly valLoss: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly learningRate: number;
  readonly seconds: number;
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
  readonly best: { readonly epoch: number; readonly value: number } | null;
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

export function saveLast(
  folder: RunFolder,
  state: ReadonlyMap<string, Tensor>,
  progress: Progress,
): void {
  const metadata = { progress: JSON.stringify(progress) };
  folder.write("last", writeSafetensors({ tensors: state, metadata }));
}

/** The last checkpoint, or undefined where there is none yet. */
export function loadLast(
  folder: RunFolder,
): { state: ReadonlyMap<string, Tensor>; progress: Progress } | undefined {
  const bytes = folder.read("last");
  if (!bytes) return undefined;
  const { tensors, metadata } = readSafetensors(bytes, folder.file("last"));
  return { state: tensors, progress: JSON.parse(metadata.progress ?? "null") as Progress };
}

export function saveBest(folder: RunFolder, state: ReadonlyMap<string, Tensor>): void {
  folder.write("best", writeSafetensors({ tensors: state, metadata: {} }));
}

export function loadBest(folder: RunFolder): ReadonlyMap<string, Tensor> | undefined {
  const bytes = folder.read("best");
  return bytes && readSafetensors(bytes, folder.file("best")).tensors;
}
