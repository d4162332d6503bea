/** A command that goes on while the test does something to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface ChildRun {
  readonly child: ChildProcess;
  /** Resolves once standard error matches. Throws where the process ends before. */
  said(pattern: RegExp): Promise<void>;
  /** Resolves when the process has ended, and every other that holds its output has as well. */
  ended(): Promise<{
    exitCode: number | null;
    signal: string | null;
    stdout: string;
    stderr: string;
  }>;
}

export function startChild(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildRun {
  const { npm_execpath: _path, npm_command: _command, ...inherited } = process.env;
  const child = spawn(command, words, {
    env: { ...inherited, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  let isClosed = false;
  for (const name of ["stdout", "stderr"] as const)
    child[name]!.on("data", (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
  const closed = once(child, "close").then(() => {
    isClosed = true;
  });
  return {
    child,
    async said(pattern) {
      while (!pattern.test(texts.stderr)) {
        if (isClosed) throw new Error(`ended before it said ${pattern}:\n${texts.stderr}`);
        await Promise.race([closed, once(child.stderr!, "data")]);
      }
    },
    async ended() {
      await closed;
      return { exitCode: child.exitCode, signal: child.signalCode, ...texts };
    },
  };
}
