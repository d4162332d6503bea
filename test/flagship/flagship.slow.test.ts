import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { loadClassifier } from "../../src/classifier/index.node.ts";
import { phantomFolder } from "../support/phantom-folder.ts";

/** Half a dozen processes, each compiled as it starts. */
const MINUTES = 600_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function make(words: readonly string[], cache: string, isTimely?: () => boolean): Promise<Ended> {
  const command = ["--import", "tsx", "scripts/flagship/main.ts", "--quick", ...words];
  const child = spawn(process.execPath, command, { env: { ...process.env, HILUM_CACHE: cache } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part) => {
    stdout += part;
  });
  child.stderr.on("data", (part) => {
    stderr += part;
  });
  const watch = async () => {
    while (child.exitCode === null && child.signalCode === null) {
      if (isTimely?.()) child.kill("SIGKILL");
      await sleep(5);
    }
  };
  void watch();
  return new Promise((done) => child.on("close", (code) => done({ code, stdout, stderr })));
}

describe("npm run flagship", () => {
  it(
    "makes model, card and metrics, killed on the way or not, then has nothing to do, and takes no other run's model for its own",
    async () => {
      const { films, cacheFolder, place } = await phantomFolder({ count: 24, size: 64, seed: 5 });
      // The card names the run after its folder.
      const runOf = (out: string) => join(`${out}-work`, "run");
      const wordsFor = (out: string) => ["--data", films, "--run", runOf(out), "--out", out];
      const [straight, killed] = [place("straight"), place("killed")];
      const ended = await make(wordsFor(straight), cacheFolder);
      expect(ended.code, ended.stderr).toBe(0);
      for (const file of [
        join(runOf(killed), "checkpoints/last.safetensors"),
        join(runOf(killed), "result.json"),
        join(killed, "pneumonia.onnx"),
      ]) {
        const stopped = await make(wordsFor(killed), cacheFolder, () => existsSync(file));
        expect(stopped.code, stopped.stderr).toBeNull();
      }
      const resumed = await make(wordsFor(killed), cacheFolder);
      expect(resumed.code, resumed.stderr).toBe(0);
      const [whole, resumedModel] = [straight, killed].map((out) =>
        readFileSync(join(out, "pneumonia.onnx")),
      );
      expect(resumedModel!.equals(whole!)).toBe(true);
      const metrics = JSON.parse(
        readFileSync(join(straight, "pneumonia.metrics.json"), "utf8"),
      ) as {
        validation: { n: number; metrics: { logLoss: { value: number } } };
        corrupted: { n: number };
        threshold: number;
      };
      expect(metrics.corrupted.n).toBe(11 * metrics.validation.n);
      expect(readFileSync(join(straight, "pneumonia.md"), "utf8")).toContain("clinical use");
      await using classifier = await loadClassifier(join(straight, "pneumonia.onnx"));
      expect(classifier.metadata).toMatchObject({
        input: { averaging: "flip" },
        calibration: { method: "platt" },
        weights: "float16",
        operatingPoint: { threshold: metrics.threshold },
      });
      // The card is of the file's answers, not of those of a training before the mean and the mirrors.
      const { validation } = classifier.metadata.card as typeof metrics;
      const { value } = metrics.validation.metrics.logLoss;
      expect(validation.metrics.logLoss.value).toBeCloseTo(value, 2);
      const again = await make(wordsFor(straight), cacheFolder);
      expect(again.code).toBe(0);
      expect(again.stdout.match(/: done/g)).toHaveLength(9);

      const own = readFileSync(join(straight, "pneumonia.onnx"));
      for (const kind of ["onnx", "md", "metrics.json"])
        copyFileSync(`models/pneumonia.${kind}`, join(straight, `pneumonia.${kind}`));
      const renewed = await make(wordsFor(straight), cacheFolder);
      expect(renewed.code, renewed.stderr).toBe(0);
      expect(readFileSync(join(straight, "pneumonia.onnx")).equals(own)).toBe(true);
    },
    MINUTES,
  );

  it(
    "prints its plan and says what is missing",
    async () => {
      const { place } = await phantomFolder({ count: 2, size: 32, seed: 1 });
      const words = ["--data", place("absent"), "--run", place("run"), "--out", place("out")];
      const plan = await make([...words, "--plan"], place("cache"));
      expect(plan).toMatchObject({ code: 0, stderr: "" });
      expect(plan.stdout).toMatch(/^1\. train/);
      const failed = await make(words, place("cache"));
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain("is not there");
    },
    MINUTES,
  );
});
