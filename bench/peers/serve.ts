/** What peers/serve.py does, for peers in TypeScript. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

export interface PeerOptions {
  readonly task: "training" | "inference";
  readonly work: string;
  readonly size: number;
  readonly batch: number;
}

export interface PeerReady {
  /** Shapes of the parameters that train. */
  readonly parameters: readonly (readonly number[])[];
  readonly versions: Readonly<Record<string, string>>;
  readonly importedMiB: number;
}

/** To be read once the libraries are loaded and before there is a network. */
export function peakMiB(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
}

export function peerOptions(): PeerOptions {
  const names = ["task", "work", "size", "batch", "threads"] as const;
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" } as const]));
  const { values } = parseArgs({ options });
  return {
    task: values.task as PeerOptions["task"],
    work: String(values.work),
    size: Number(values.size),
    batch: Number(values.batch),
  };
}

/** `step` does one step to its end. */
export async function serve(step: () => unknown, ready: PeerReady): Promise<void> {
  say(ready);
  for await (const line of createInterface({ input: process.stdin })) {
    const { steps } = JSON.parse(line) as { steps: number };
    const begun = performance.now();
    for (let index = 0; index < steps; index++) await step();
    say({ seconds: (performance.now() - begun) / 1000 });
  }
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
