/** The programs that are compared, by name, and how each is started. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
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

interface Peer {
  readonly script: string;
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Both and all where nothing is said. */
  readonly tasks?: readonly Task[];
  readonly works?: readonly string[];
}

/** In TypeScript: their packages are installed in bench/peers when one of them is asked for. */
const TYPESCRIPT: Readonly<Record<string, Peer>> = {
  "tfjs-wasm": {
    script: "tfjs-peer.ts",
    environment: { BENCH_TFJS_BACKEND: "wasm" },
    // The WebAssembly backend lacks kernels that gradients of convolutions need.
    tasks: ["inference"],
  },
  "tfjs-cpu": { script: "tfjs-peer.ts", environment: { BENCH_TFJS_BACKEND: "cpu" } },
  "jax-js": { script: "jax-peer.ts", tasks: ["training"], works: ["cnn"] },
};

const PYTHON: Readonly<Record<string, Peer>> = {
  torch: { script: "torch_peer.py", words: ["--layout", "contiguous"] },
  "torch-channels-last": { script: "torch_peer.py", words: ["--layout", "channels-last"] },
  keras: { script: "keras_peer.py" },
};

/** PyTorch's two layouts and Keras on TensorFlow. */
export const DEFAULT_PEERS = Object.keys(PYTHON);
export const TYPESCRIPT_PEERS = Object.keys(TYPESCRIPT);

const PEERS: Readonly<Record<string, Peer>> = { ...PYTHON, ...TYPESCRIPT };

/** Throws `invalid-option` for a name that is unknown or that cannot do the task. */
export function refuseUnsuitedPeers(names: readonly string[], task: Task): void {
  const all = Object.keys(PEERS);
  for (const name of names) {
    const tasks = PEERS[name]?.tasks;
    if (PEERS[name] && (tasks === undefined || tasks.includes(task))) continue;
    throw new HilumError(
      "invalid-option",
      PEERS[name]
        ? `The peer ${name} does no ${task}; it is compared by: bench ${tasks}.`
        : `There is no peer "${name}". There are: ${all.join(", ")}.`,
      { option: "peers", value: name, allowed: all },
    );
  }
}

/** Of those asked for, the ones that have this work, in the table's order. */
export function peersOf(work: Work, asked: readonly string[]): string[] {
  const canDo = ({ works }: Peer) => works === undefined || works.includes(work.name);
  return Object.keys(PEERS).filter((name) => asked.includes(name) && canDo(PEERS[name]!));
}

export function peerCommand(name: string, { python, ...circumstances }: Circumstances): Command {
  const { script, words = [], environment = {} } = PEERS[name]!;
  const isTypeScript = name in TYPESCRIPT;
  if (isTypeScript) install();
  const whole = [pathOf(`peers/${script}`), ...words, ...wordsOf(circumstances)];
  return {
    name,
    file: isTypeScript ? process.execPath : python,
    words: isTypeScript ? ["--import", "tsx", ...whole] : whole,
    environment: {
      ...environment,
      // The libraries' own setting in the scripts does not reach all of their pools.
      OMP_NUM_THREADS: String(circumstances.threads),
      PYTHONDONTWRITEBYTECODE: "1",
    },
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

function install(): void {
  if (existsSync(pathOf("peers/node_modules"))) return;
  console.error("Installing the TypeScript peers in bench/peers");
  const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", words, { cwd: pathOf("peers"), stdio: "inherit" });
  if (status !== 0)
    throw new HilumError(
      "invalid-option",
      `The TypeScript peers could not be installed. Run npm ci --ignore-scripts in bench/peers, or leave them out by --peers.`,
      { status },
    );
}

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
