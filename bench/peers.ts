/** The programs that are compared, by name, and how each is started. */
import { fileURLToPath } from "node:url";
import { HilumError } from "../src/errors.ts";
import type { Command } from "./contestant.ts";
import type { Work } from "./works.ts";

export type Task = "training" | "inference";

export interface Circumstances {
  readonly task: Task;
  readonly work: Work;
  readonly threads: number;
  readonly python: string;
}

const PYTHON_PEERS: Readonly<Record<string, readonly string[]>> = {
  torch: ["torch_peer.py", "--layout", "contiguous"],
  "torch-channels-last": ["torch_peer.py", "--layout", "channels-last"],
  keras: ["keras_peer.py"],
};

/** PyTorch's two layouts and Keras on TensorFlow. */
export const PEERS = Object.keys(PYTHON_PEERS);

export function refuseUnknownPeers(names: readonly string[]): void {
  const unknown = names.find((name) => !PEERS.includes(name));
  if (unknown === undefined) return;
  throw new HilumError(
    "invalid-option",
    `There is no peer "${unknown}". There are: ${PEERS.join(", ")}.`,
    { option: "peers", value: unknown, allowed: PEERS },
  );
}

export function peerCommand(name: string, { python, ...circumstances }: Circumstances): Command {
  const [script, ...words] = PYTHON_PEERS[name]!;
  return {
    name,
    file: python,
    words: [pathOf(`peers/${script}`), ...words, ...wordsOf(circumstances)],
    // As many as the others have; the libraries' own setting in the script does not reach all pools.
    environment: { OMP_NUM_THREADS: String(circumstances.threads), PYTHONDONTWRITEBYTECODE: "1" },
  };
}

export function ourCommand(circumstances: Omit<Circumstances, "python">): Command {
  return {
    name: "hilum",
    file: process.execPath,
    words: ["--import", "tsx", pathOf("our-peer.ts"), ...wordsOf(circumstances)],
  };
}

function wordsOf({ task, work, threads }: Omit<Circumstances, "python">): string[] {
  const values = { task, work: work.name, size: work.size, batch: work.batch, threads };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
