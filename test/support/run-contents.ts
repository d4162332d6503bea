/** What a run left, for holding against another run; what the clock wrote is not compared. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect } from "vitest";
import { readSafetensors } from "../../src/onnx/index.ts";
import type { EpochRecord } from "../../src/training/checkpoint.ts";
import { eventFile } from "../../src/training/history.ts";
import { runFolder } from "../../src/training/run-folder.ts";

export type RunContents = Readonly<Record<string, string>>;

/** Files by path, locks left out. Of history and last checkpoint everything but times. */
export function contentsOf(out: string): RunContents {
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith(".lock"))
    .map(({ parentPath, name }) => relative(out, join(parentPath, name)))
    .sort();
  return Object.fromEntries(files.map((name) => [name, timeless(join(out, name))]));
}

function timeless(path: string): string {
  const bytes = readFileSync(path);
  if (path.endsWith("history.jsonl")) return JSON.stringify(historyOf(bytes).map(withoutClock));
  if (path.endsWith("last.safetensors")) {
    const { tensors, metadata } = readSafetensors(bytes, path);
    const { seconds, history, ...progress } = JSON.parse(metadata.progress!);
    const states = [...tensors].map(([name, { data }]) => [name, Buffer.from(data.slice().buffer)]);
    return JSON.stringify([progress, history.map(withoutClock), states]);
  }
  return path.includes("tfevents") ? "" : bytes.toString("hex");
}

const historyOf = (bytes: Uint8Array): EpochRecord[] =>
  Buffer.from(bytes)
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as EpochRecord);

function withoutClock({ seconds, imagesPerSecond, time, ...record }: EpochRecord) {
  return record;
}

/** Fails the test unless the run has the very same files, and history and event file agree. */
export function expectSameRun(out: string, expected: RunContents, what: string): void {
  const actual = contentsOf(out);
  expect(Object.keys(actual), what).toEqual(Object.keys(expected));
  for (const [name, contents] of Object.entries(expected))
    expect(actual[name] === contents, `${what}: ${name} is the same`).toBe(true);
  const folder = runFolder(out);
  expect(Buffer.from(folder.read("events")!), what).toEqual(
    Buffer.from(eventFile(historyOf(folder.read("history")!))),
  );
}
