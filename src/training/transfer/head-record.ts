/** What the head's stage leaves in the run folder: its weights, written last, and its own history. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { guardDisk } from "../../files.node.ts";
import { readSafetensors, type Tensor, writeSafetensors } from "../../onnx/index.ts";
import type { EpochRecord } from "../checkpoint.ts";
import { eventFile } from "../history.ts";
import { type RunFolder, refuseDamaged } from "../run-folder.ts";

export interface HeadRecord {
  /** `head.weight` and `head.bias` of the best epoch. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly bestEpoch: number;
  /** Of the metric that chose it; null where it was not defined. */
  readonly value: number | null;
  readonly history: readonly EpochRecord[];
}

/** Of a head that was stopped for good there is no more to keep. */
export function writeHeadHistory(folder: RunFolder, history: HeadRecord["history"]): void {
  const path = dirname(folder.file("head"));
  guardDisk(path, () => mkdirSync(path, { recursive: true }));
  folder.write("headHistory", history.map((record) => `${JSON.stringify(record)}\n`).join(""));
  folder.write("headEvents", eventFile(history));
}

export function writeHead(folder: RunFolder, { tensors, bestEpoch, value, history }: HeadRecord) {
  writeHeadHistory(folder, history);
  // Last, for it says that the head is found.
  const metadata = { bestEpoch: String(bestEpoch), value: JSON.stringify(value) };
  folder.write("head", writeSafetensors({ tensors, metadata }));
}

/** The head that was found, or undefined where it is still to be. Throws `run-damaged`. */
export function readHead(folder: RunFolder): HeadRecord | undefined {
  const bytes = folder.read("head");
  if (!bytes) return undefined;
  try {
    const { tensors, metadata } = readSafetensors(bytes, folder.file("head"));
    return {
      tensors,
      bestEpoch: Number(metadata.bestEpoch),
      value: JSON.parse(metadata.value!) as number | null,
      history: folder.lines("headHistory"),
    };
  } catch (cause) {
    return refuseDamaged(folder.file("head"), "is a damaged head", cause);
  }
}
