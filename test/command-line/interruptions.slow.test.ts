/** What is done to a training process from outside, and what it leaves. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startChild } from "../support/child-run.ts";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { contentsOf, expectSameRun, type RunContents } from "../support/run-contents.ts";

const hilum = commandLine();
/** Norms, averages, micro-batches, mixup and balanced sampling; a second or so of training. */
const SETTINGS =
  "--model residual --width 0.1 --depth 0.5 --size 16 --batch 2 --micro-batches 2 --epochs 8 --average-decay 0.9 --mixup 0.4 --balance sampling --schedule plateau --threads 2 --val-fraction 0.2".split(
    " ",
  );

let films: string;
let cacheFolder: string;
let place: (name: string) => string;
/** What a run leaves that nothing happens to. */
let whole: string;
let expected: RunContents;

const wordsOf = (out: string, ...more: string[]) => [
  ...["train", films, "--out", out, "--cache", cacheFolder],
  ...SETTINGS,
  ...more,
];
const begin = (out: string, ...more: string[]) =>
  startChild(process.execPath, [hilum.file, ...wordsOf(out, ...more)], {});

beforeAll(async () => {
  ({ films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 }));
  whole = place("whole");
  const { exitCode, stderr } = await begin(whole).ended();
  expect(exitCode, stderr).toBe(0);
  expected = contentsOf(whole);
});

describe("a training process", () => {
  it("killed twice, refused a second time while it lives, goes on to the same weights", async () => {
    const out = place("killed");
    const first = begin(out);
    await first.said(/^epoch 2 /m);
    first.child.kill("SIGKILL");
    expect(await first.ended()).toMatchObject({ signal: "SIGKILL", stdout: "" });
    expect(readdirSync(out)).toContain(".lock");

    const second = begin(out, "--resume");
    await second.said(/^epoch 5 /m);
    second.child.kill("SIGSTOP");
    const before = contentsOf(out);
    const rival = await hilum(...wordsOf(out, "--resume", "--json"));
    expect(rival.exitCode).toBe(5);
    expect(rival.json()).toMatchObject({
      error: { code: "folder-locked", details: { pid: second.child.pid } },
    });
    expect(contentsOf(out)).toEqual(before);
    second.child.kill("SIGKILL");
    expect((await second.ended()).stderr).toMatch(/^resuming in epoch [2-5] /m);

    // Its number may belong to another process by now.
    writeFileSync(join(out, ".lock"), JSON.stringify({ pid: process.pid, started: "1" }));
    const third = await hilum(...wordsOf(out, "--resume", "--json"));
    expect(third.exitCode, third.stderr).toBe(0);
    expectSameRun(out, expected, "killed twice");
    const digests = await Promise.all(
      [out, whole].map(async (run) => (await hilum("inspect", run, "--json")).json().weightsSha256),
    );
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[0]).toBe(digests[1]);
    expect(readdirSync(out).sort()).toEqual(readdirSync(whole).sort());
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "finishes its step on %s, saves, and says how to go on",
    async (signal) => {
      const out = place("stopped");
      const run = begin(out, "--json");
      await run.said(/^epoch 3 /m);
      run.child.kill(signal);
      const { exitCode, stdout } = await run.ended();
      expect(exitCode).toBe(130);
      const { error } = JSON.parse(stdout);
      expect(error).toMatchObject({ code: "interrupted", kind: "interrupted" });
      expect(error.message).toMatch(
        /everything is saved\. Go on with the same command and --resume/,
      );
      expect(readdirSync(out)).not.toContain(".lock");
      const resumed = await begin(out, "--resume").ended();
      const { epoch, step } = error.details;
      expect(resumed.stderr).toContain(`resuming in epoch ${epoch} after step ${step}`);
      expectSameRun(out, expected, `stopped by ${signal}`);
    },
  );

  it("does not outlive the npm that was asked to run it", async () => {
    const out = place("npm");
    const line = [process.execPath, hilum.file, ...wordsOf(out)].map((word) => `'${word}'`);
    const run = startChild("npm", ["exec", "--call", line.join(" ")], {});
    await run.said(/^epoch 1 /m);
    run.child.kill("SIGKILL");
    // Resolves only when nobody holds its output any more: no shell, no Node, no worker.
    await run.ended();
    expect(existsSync(join(out, "result.json"))).toBe(false);
    const last = readFileSync(join(out, "checkpoints/last.safetensors"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(readFileSync(join(out, "checkpoints/last.safetensors"))).toEqual(last);
  });
});

/** A disk of that size of its own, until the test is over; or why there is none. */
function smallDisk(megabytes: number): { path: string } | { problem: string } {
  const path = mkdtempSync(join(tmpdir(), "hilum-disk-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  try {
    const words = ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path];
    execFileSync("mount", words, { stdio: "pipe" });
    onTestFinished(() => {
      execFileSync("umount", [path]);
    });
    return { path };
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0]! };
  }
}

describe("a full disk", () => {
  it("stops training and leaves the last checkpoint whole", async ({ skip }) => {
    const disk = smallDisk(16);
    if ("problem" in disk) return skip(`no disk can be mounted here: ${disk.problem}`);
    const { path } = disk;
    const out = join(path, "run");
    const run = begin(out, "--json");
    await run.said(/^epoch 2 /m);
    run.child.kill("SIGSTOP");
    const { bavail, bsize } = statfsSync(path);
    writeFileSync(join(path, "filler"), new Uint8Array(bavail * bsize));
    run.child.kill("SIGCONT");
    const { exitCode, stdout } = await run.ended();
    expect(exitCode).toBe(6);
    const { error } = JSON.parse(stdout);
    expect(error).toMatchObject({ code: "disk-full", kind: "unavailable" });
    expect(error.message).toContain(join(out, ""));
    expect(error.message).toMatch(/go on with the same command and --resume\.$/);
    // There is no room to go on either, and nothing is lost by trying.
    const tried = await hilum(...wordsOf(out, "--resume", "--json"));
    expect(tried.json()).toMatchObject({ error: { code: "disk-full" } });
    rmSync(join(path, "filler"));
    const resumed = await begin(out, "--resume").ended();
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/^resuming in epoch [2-4] /m);
    expectSameRun(out, expected, "after the disk was full");
  });
});

describe("hilum train --folds", () => {
  const FOLDS = ["--folds", "2", "--epochs", "2"];

  it("trains every fold, goes on where it was killed, and sums up in one object", async () => {
    const [once, out] = [place("folds"), place("folds")];
    const full = await hilum(...wordsOf(once, ...FOLDS, "--json"));
    const first = begin(out, ...FOLDS);
    await first.said(/^fold 2 of 2\n[\s\S]*^epoch 1 /m);
    first.child.kill("SIGKILL");
    await first.ended();
    const resumed = await hilum(...wordsOf(out, ...FOLDS, "--resume", "--json"));
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    for (const fold of ["fold-1", "fold-2"])
      expectSameRun(join(out, fold), contentsOf(join(once, fold)), fold);

    interface Summary {
      readonly run: string;
      readonly metrics: Record<string, number>;
      readonly deviations: Record<string, number>;
      readonly folds: readonly { metrics: Record<string, number> }[];
    }
    const { run, metrics, deviations, folds, ...rest } = resumed.json<Summary>();
    expect(run).toBe(out);
    expect(rest).toEqual({ model: null, bestEpoch: null });
    expect({ metrics, deviations }).toEqual({
      metrics: full.json<Summary>().metrics,
      deviations: full.json<Summary>().deviations,
    });
    const values = folds.map((fold) => fold.metrics.accuracy!);
    const mean = values.reduce((a, b) => a + b) / 2;
    expect(metrics.accuracy).toBeCloseTo(mean, 12);
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    expect(deviations.accuracy).toBeCloseTo(Math.sqrt(squares), 12);
    expect(JSON.parse(readFileSync(join(out, "folds.json"), "utf8"))).toEqual({
      folds: 2,
      metrics,
      deviations,
    });

    const before = contentsOf(out);
    const table = await hilum(...wordsOf(out, ...FOLDS, "--resume"));
    expect(table.stdout).toMatch(/accuracy\s.*\d\.\d{4} ± \d\.\d{4}/);
    expect(contentsOf(out)).toEqual(before);
    const other = await hilum(
      ...wordsOf(out, "--folds", "3", "--epochs", "2", "--resume", "--json"),
    );
    expect(other.exitCode).toBe(5);
    expect(other.json()).toMatchObject({
      error: { code: "settings-changed", details: { option: "folds" } },
    });
  });
});
