/** `hilum demo --train` as a user starts it: a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { commandLine } from "../support/command-line.ts";

const hilum = commandLine();
const root = mkdtempSync(join(tmpdir(), "hilum-demo-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Runs the command in `root`; at the first word on standard error `onStart` may send it a signal. */
async function demo(words: readonly string[], onStart?: (pid: number) => void) {
  const child = spawn(process.execPath, [hilum.file, "demo", "--train", ...words], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (onStart) child.stderr.once("data", () => onStart(child.pid!));
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { out, err, code };
}

const FEW = ["--films", "60", "--epochs", "1"];

describe("hilum demo --train", () => {
  it("goes on after Ctrl-C with the same command, and prints exactly one JSON object", async () => {
    const stopped = await demo(FEW, (pid) => process.kill(pid, "SIGINT"));
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain("The same command goes on");
    expect(stopped.out).toBe("");

    const { out, err, code } = await demo([...FEW, "--json"]);
    expect(code).toBe(0);
    expect(err).toContain("synthetic");
    expect(out.trimEnd().split("\n").length).toBe(1);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ synthetic: true, bestEpoch: 1 });
    expect(result.test).toMatchObject({ n: 11, positive: "PNEUMONIA" });
    expect(result.images.length).toBeGreaterThan(0);
    for (const path of [result.page, result.films, result.run, result.model])
      expect(path.startsWith(join(root, "hilum-demo")) && existsSync(path)).toBe(true);

    const again = await demo(FEW);
    expect(again.code).toBe(0);
    for (const words of ["synthetic", "npx hilum train DIR", "hilum-demo/demo.html", "Not for"])
      expect(again.out).toContain(words);

    const other = await demo(["--films", "61", "--epochs", "1", "--json"]);
    expect(other.code).toBe(5);
    expect(JSON.parse(other.out).error).toMatchObject({
      code: "settings-changed",
      details: { option: "films", before: 60, now: 61 },
    });
  });

  it("refuses what no demo can be made of before it draws anything", async () => {
    for (const [words, code, exit] of [
      [["--films", "10"], "invalid-option", 2],
      [["--model", "cmm"], "unknown-model", 3],
    ] as const) {
      const { out, code: status } = await demo([...words, "--out", "none", "--json"]);
      expect(JSON.parse(out).error.code).toBe(code);
      expect(status).toBe(exit);
    }
    expect(existsSync(join(root, "none"))).toBe(false);
  });
});
