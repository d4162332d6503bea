/** Where and with what was measured. */
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { blockedChannels } from "../src/onnx/index.node.ts";
import { VERSION } from "../src/version.ts";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** Channels in a block of ONNX Runtime's blocked layout: the width of the vectors decides the ratios. */
  readonly block: number;
  readonly memoryGiB: number;
  /** Mean number of runnable processes over the last minute, before the bench began. */
  readonly load: number;
  /** Share of all cores that others used in the second before the bench began. */
  readonly busy: number;
}

export async function machineNow(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    block: await blockedChannels(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0]!,
    busy: await busyShare(1000),
  };
}

const VECTORS: Readonly<Record<number, string>> = { 16: "AVX-512", 8: "AVX2" };

/** One line for people. */
export function describeMachine({
  processor,
  cores,
  block,
  memoryGiB,
  load,
  busy,
}: Machine): string {
  const vectors = VECTORS[block] ?? "no blocked layout";
  return `${processor}, ${cores} cores, ${vectors}, ${memoryGiB} GiB; load ${load.toFixed(2)}, ${Math.round(busy * 100)} % busy before the start`;
}

export function ourVersions(): Record<string, string> {
  const manifest = new URL("../node_modules/onnxruntime-node/package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { hilum: VERSION, node: process.version.slice(1), "onnxruntime-node": version };
}

/** Share of all cores that is used during that time. */
export async function busyShare(milliseconds: number): Promise<number> {
  const before = cpuTimes();
  await setTimeout(milliseconds);
  const after = cpuTimes();
  return after.busy === before.busy ? 0 : (after.busy - before.busy) / (after.total - before.total);
}

/** Seconds since the start of the machine, all cores together. */
export function cpuTimes(): { busy: number; total: number } {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, cpu) => sum + cpu.idle, 0);
  const busy = times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0);
  return { busy: busy / 1000, total: (busy + idle) / 1000 };
}
