/** `hilum tune` under kill -9: what was decided stays decided, and no process is left. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { writeModelFile } from "../../src/onnx/index.node.ts";
import { modelOf } from "../../src/onnx/index.ts";
import type { SweepResult } from "../../src/training/index.ts";
import { type ChildRun, startChild } from "../support/child-run.ts";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { smallBackbone } from "../support/small-backbone.ts";

const hilum = commandLine();
const { films, cacheFolder, place } = await phantomFolder({ count: 60, size: 48, seed: 4 });

const OPTIONS = [
  ...["--model", "cnn", "--width", "0.25", "--size", "32", "--epochs", "4", "--threads", "1"],
  ...["--trials", "8", "--pruner", "median", "--cache", cacheFolder],
];

const BACKBONE = `${place("backbone")}.onnx`;
writeModelFile(BACKBONE, modelOf(smallBackbone(32).graph));
/** Of heads, which are tried in the worker's own process. */
const HEADS = [
  ...[
    "--model",
    BACKBONE,
    "--size",
    "32",
    "--epochs",
    "0",
    "--head-epochs",
    "40",
    "--threads",
    "1",
  ],
  ...["--trials", "12", "--cache", cacheFolder],
];

const start = (...words: readonly string[]): ChildRun =>
  startChild(process.execPath, [hilum.file, "tune", ...words], {});

const essence = ({ trials, best, optimism }: SweepResult) => ({
  trials: trials.map(({ seconds: _, ...trial }) => trial),
  best: best?.number,
  optimism,
});

/** Processes whose command line names the folder. */
function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function gone(folder: string): Promise<void> {
  for (let wait = 0; processesOf(folder).length > 0; wait++) {
    if (wait > 100) throw new Error(`still at work: ${processesOf(folder)}`);
    await sleep(100);
  }
}

describe("hilum tune", () => {
  it("killed at any time and resumed gives the sweep that nothing interrupted", async () => {
    const whole = await hilum("tune", films, ...OPTIONS, "--out", place("whole"), "--json");
    expect(whole.exitCode).toBe(0);
    const expected = essence(whole.json() as unknown as SweepResult);
    expect(expected.trials).toHaveLength(8);
    const out = place("killed");
    let run = start(films, ...OPTIONS, "--out", out, "--json");
    let kills = 0;
    for (const pattern of [/trial 0 {2}lr/, /trial 2 {2}lr/, /trial 3 {2}lr/, /trial 6 {2}lr/]) {
      await run.said(pattern);
      // Somewhere within the trial, another place each time.
      await sleep(40 * kills);
      run.child.kill("SIGKILL");
      expect((await run.ended()).signal).toBe("SIGKILL");
      kills++;
      run = start("--resume", out, "--cache", cacheFolder, "--json");
    }
    const { exitCode, stdout, stderr } = await run.ended();
    expect(exitCode, stderr).toBe(0);
    expect(essence(JSON.parse(stdout) as SweepResult)).toEqual(expected);
    const again = await hilum("tune", "--resume", out, "--json");
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    expect(again.stdout).toBe(stdout);
  });

  it("has workers that take over from one another, and leaves none behind", async () => {
    const out = place("workers");
    const run = start(films, ...OPTIONS, "--workers", "2", "--out", out, "--json");
    await run.said(/trial [2-4] {2}lr/);
    const helper = processesOf(out).find((pid) => pid !== run.child.pid)!;
    process.kill(helper, "SIGKILL");
    const { exitCode, stdout, stderr } = await run.ended();
    expect(exitCode, stderr).toBe(0);
    const { trials } = JSON.parse(stdout) as SweepResult;
    expect(trials.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(trials.filter(({ state }) => state === "failed")).toEqual([]);
    await gone(out);
  });

  it("of heads, killed at any time and resumed, gives the sweep that nothing interrupted", async () => {
    const whole = await hilum("tune", films, ...HEADS, "--out", place("whole-heads"), "--json");
    expect(whole.exitCode, whole.stderr).toBe(0);
    const expected = essence(whole.json() as unknown as SweepResult);
    expect(expected.trials).toHaveLength(12);
    const out = place("killed-heads");
    let run = start(films, ...HEADS, "--out", out, "--json");
    for (let kills = 0; kills < 3; kills++) {
      await run.said(/^trial \d+ .*head/m);
      // Heads take a fraction of a second: now within the first one, now some later.
      await sleep(30 * kills);
      run.child.kill("SIGKILL");
      expect((await run.ended()).signal).toBe("SIGKILL");
      run = start("--resume", out, "--cache", cacheFolder, "--json");
    }
    const { exitCode, stdout, stderr } = await run.ended();
    expect(exitCode, stderr).toBe(0);
    expect(essence(JSON.parse(stdout) as SweepResult)).toEqual(expected);
  });

  it("of heads has workers that take over from one another, and leaves none behind", async () => {
    const out = place("head-workers");
    const run = start(films, ...HEADS, "--workers", "2", "--out", out, "--json");
    await run.said(/^trial \d+ .*head/m);
    const helper = processesOf(out).find((pid) => pid !== run.child.pid)!;
    process.kill(helper, "SIGKILL");
    const { exitCode, stdout, stderr } = await run.ended();
    expect(exitCode, stderr).toBe(0);
    const { trials } = JSON.parse(stdout) as SweepResult;
    expect(trials.map(({ number }) => number)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect(trials.filter(({ state }) => state === "failed")).toEqual([]);
    await gone(out);
  });

  it("whose process is killed leaves no worker at work", async () => {
    const out = place("left");
    const run = start(films, ...OPTIONS, "--workers", "3", "--out", out, "--json");
    await run.said(/trial 1 {2}lr/);
    expect(processesOf(out).length).toBe(3);
    run.child.kill("SIGKILL");
    await gone(out);
  });

  it("stops in good order when asked, its workers too, and goes on from there", async () => {
    const out = place("stopped");
    const run = start(films, ...OPTIONS, "--workers", "2", "--out", out, "--json");
    await run.said(/trial 2 {2}lr/);
    run.child.kill("SIGINT");
    const { exitCode, stdout } = await run.ended();
    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "interrupted" });
    await gone(out);
    const { exitCode: after, stdout: result } = await start(
      ...["--resume", out, "--cache", cacheFolder, "--json"],
    ).ended();
    expect(after).toBe(0);
    expect((JSON.parse(result) as SweepResult).trials).toHaveLength(8);
  });

  it("several command lines share one folder", async () => {
    const out = place("shared");
    const first = start(films, ...OPTIONS, "--out", out, "--json");
    await first.said(/trial 0 {2}lr/);
    const second = start("--resume", out, "--cache", cacheFolder, "--json");
    const ends = await Promise.all([first.ended(), second.ended()]);
    const [one, two] = ends.map(({ stdout }) => JSON.parse(stdout) as SweepResult);
    expect(one!.trials).toEqual(two!.trials);
    expect(one!.trials).toHaveLength(8);
    for (const { stderr } of ends) expect(stderr).toContain("trial ");
    const begun = ends.flatMap(({ stderr }) => stderr.match(/^trial \d+ {2}lr/gm) ?? []);
    expect(new Set(begun).size).toBe(begun.length);
    expect(readFileSync(join(out, "sweep.json"), "utf8")).toContain('"optimism"');
  });
});

describe("hilum tune refuses", () => {
  it.each([
    [["--trials", "3"], "The folder of films is not given"],
    [[films, "--trials", "3"], "Option '--out <folder>' is not given"],
    [[films, "--resume", "x"], "leave the folder out"],
    [["--resume", "x", "--out", "y"], "leave --out out"],
    [["--resume", "x", "--lr", "1"], "Option lr cannot change"],
    [[films, "--out", "x", "--budget", "30"], "It is a duration"],
    [[films, "--out", "x", "--sampler", "tpee"], "Did you mean tpe"],
    [["--resume", "x"], "There is no sweep in"],
  ])("%j", async (words, message) => {
    const { exitCode, stdout } = await hilum("tune", ...words, "--json");
    expect(exitCode).toBeGreaterThan(1);
    expect(JSON.parse(stdout).error.message).toContain(message);
  });
});
