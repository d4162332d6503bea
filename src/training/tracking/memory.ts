/** What a run folder remembers of the MLflow run that it is: beside the settings, and no part of them. */
import { randomUUID } from "node:crypto";
import type { RunFolder } from "../run-folder.ts";

export interface Memory {
  /** Without credentials. */
  readonly server: string;
  readonly experiment: string;
  /** A tag of ours: finds the run that a lost answer told of. */
  readonly key: string;
  readonly runId: string | null;
  /** Epochs that the server has, of the head and of the whole network. */
  readonly sent: { readonly head: number; readonly epochs: number };
  readonly isFinished: boolean;
}

/** What was remembered of this server and experiment, or a beginning. */
export function memoryOf(folder: RunFolder, server: string, experiment: string): Memory {
  const before = recalled(folder);
  if (before?.server === server && before.experiment === experiment) return before;
  const sent = { head: 0, epochs: 0 };
  return { server, experiment, key: randomUUID(), runId: null, sent, isFinished: false };
}

export function remember(folder: RunFolder, memory: Memory): Memory {
  folder.write("mlflow", `${JSON.stringify(memory, null, 2)}\n`);
  return memory;
}

/** A file that somebody broke costs a second MLflow run, never the training. */
function recalled(folder: RunFolder): Memory | undefined {
  try {
    const memory = JSON.parse(Buffer.from(folder.read("mlflow") ?? "").toString("utf8")) as Memory;
    return typeof memory.key === "string" && typeof memory.sent.epochs === "number"
      ? memory
      : undefined;
  } catch {
    return undefined;
  }
}
