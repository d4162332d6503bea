/**
 * One program under measurement: a child process that lives through all rounds and takes steps only
 * when told, so that nothing runs but what is measured.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { HilumError } from "../src/errors.ts";

export interface Command {
  readonly name: string;
  readonly file: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export interface Contestant {
  readonly name: string;
  /** Shapes of the parameters that train. */
  readonly parameters: readonly (readonly number[])[];
  readonly versions: Readonly<Record<string, string>>;
  /** Largest resident memory once the libraries were loaded, before there was a network. */
  readonly importedMiB: number;
  /** Seconds that so many steps took. */
  run(steps: number): Promise<number>;
  /** Largest resident memory so far (Linux's VmHWM). */
  peakMiB(): number;
  /** Processor time of the program so far, all threads together. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

/** Starts the program and waits until it is ready. Throws `invalid-option` with what it said last. */
export async function startContestant(command: Command): Promise<Contestant> {
  const { OPENBLAS_CORETYPE: _, ...environment } = process.env;
  const child = spawn(command.file, command.words, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...environment, ...command.environment },
  });
  const answers = answersOf(command.name, child);
  const ready = (await answers()) as Pick<Contestant, "parameters" | "versions" | "importedMiB">;
  return {
    name: command.name,
    ...ready,
    async run(steps) {
      child.stdin.write(`${JSON.stringify({ steps })}\n`);
      return ((await answers()) as { seconds: number }).seconds;
    },
    peakMiB: () => peakMiB(child.pid!),
    cpuSeconds: () => cpuSeconds(child.pid!),
    async close() {
      const left = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode !== null) return;
      child.stdin.end();
      await left;
    },
  };
}

/** The next line that the child writes, as JSON; rejects once it can write no more. */
function answersOf(name: string, child: ChildProcess): () => Promise<unknown> {
  let said = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const failure = new Promise<never>((_, reject) => {
    child.once("error", ({ message }) => reject(unstarted(name, message)));
    child.once("close", () => reject(unstarted(name, said.trim().split("\n").at(-1) ?? "")));
  });
  failure.catch(() => undefined);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => {
    // A library that greets on standard output must not be taken for an answer.
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), failure]);
      if (done) return failure;
      if (value.startsWith("{")) return JSON.parse(value);
    }
  };
}

function unstarted(name: string, reason: string): HilumError {
  return new HilumError(
    "invalid-option",
    `The peer ${name} ended: ${reason || "it said nothing"}. Its packages are listed in bench/peers; name the Python that has them by --python, or leave it out by --peers.`,
    { name, reason },
  );
}

export function peakMiB(pid: number | string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** Linux counts in ticks of a hundredth of a second. Source: proc(5), fields 14 and 15 of stat. */
function cpuSeconds(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!;
  const [user, system] = afterName.split(" ").slice(11, 13).map(Number);
  return (user! + system!) / 100;
}
