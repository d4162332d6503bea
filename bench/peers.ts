/** The programs that are compared, by name, and how each is started. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { HilumError } from "../src/errors.ts";
import { type Contest, TASKS, type Task } from "./contest.ts";
import type { Command } from "./contestant.ts";

export interface Circumstances {
  readonly contest: Contest;
  readonly threads: number;
  readonly python: string;
}

interface Peer {
  readonly scripts: Readonly<Partial<Record<Task, string>>>;
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** All where nothing is said. */
  readonly works?: readonly string[];
}

/** In TypeScript: their packages are installed in bench/peers when one of them is asked for. */
const TYPESCRIPT: Readonly<Record<string, Peer>> = {
  "tfjs-wasm": {
    // The WebAssembly backend lacks kernels that gradients of convolutions need.
    scripts: { inference: "tfjs-peer.ts" },
    environment: { BENCH_TFJS_BACKEND: "wasm" },
  },
  "tfjs-cpu": {
    scripts: { training: "tfjs-peer.ts", inference: "tfjs-peer.ts" },
    environment: { BENCH_TFJS_BACKEND: "cpu" },
  },
  "jax-js": { scripts: { training: "jax-peer.ts" }, works: ["cnn"] },
};

const TORCH = {
  training: "torch_peer.py",
  inference: "torch_peer.py",
  features: "torch_transfer.py",
  "fine-tuning": "torch_transfer.py",
};
const KERAS = {
  training: "keras_peer.py",
  inference: "keras_peer.py",
  features: "keras_transfer.py",
  "fine-tuning": "keras_transfer.py",
};

const PYTHON: Readonly<Record<string, Peer>> = {
  torch: { scripts: TORCH, words: ["--layout", "contiguous"] },
  "torch-channels-last": { scripts: TORCH, words: ["--layout", "channels-last"] },
  keras: { scripts: KERAS },
};

/** PyTorch's two layouts and Keras on TensorFlow. */
export const DEFAULT_PEERS = Object.keys(PYTHON);
export const TYPESCRIPT_PEERS = Object.keys(TYPESCRIPT);

const PEERS: Readonly<Record<string, Peer>> = { ...PYTHON, ...TYPESCRIPT };

/** Throws `invalid-option` for a name that is unknown or that cannot do the task. */
export function refuseUnsuitedPeers(names: readonly string[], task: Task): void {
  const all = Object.keys(PEERS);
  for (const name of names) {
    const scripts = PEERS[name]?.scripts;
    if (scripts?.[task]) continue;
    const able = TASKS.filter((other) => scripts?.[other]);
    throw new HilumError(
      "invalid-option",
      scripts
        ? `The peer ${name} does no ${task}; it does: ${able.join(", ")}.`
        : `There is no peer "${name}". There are: ${all.join(", ")}.`,
      { option: "peers", value: name, allowed: all },
    );
  }
}

/** Of those asked for, the ones that have this work, in the table's order. */
export function peersOf(work: string, asked: readonly string[]): string[] {
  const canDo = ({ works }: Peer) => works === undefined || works.includes(work);
  return Object.keys(PEERS).filter((name) => asked.includes(name) && canDo(PEERS[name]!));
}

export function peerCommand(name: string, { python, ...circumstances }: Circumstances): Command {
  const { scripts, words = [], environment = {} } = PEERS[name]!;
  const isTypeScript = name in TYPESCRIPT;
  if (isTypeScript) install();
  const script = scripts[circumstances.contest.task]!;
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

function wordsOf({ contest, threads }: Omit<Circumstances, "python">): string[] {
  const { name: _, ...told } = contest;
  const values = { ...told, threads };
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
