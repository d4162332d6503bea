import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { holdOut, isHeldOut, readHeldOut } from "../../scripts/flagship/held-out.ts";
import { openDataset } from "../../src/datasets/index.ts";
import { runFolder } from "../../src/training/index.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { smallBackbone } from "../support/small-backbone.ts";

const SIZE = 32;

describe("a cluster held out", () => {
  it("is read by a model that never met its patients, and is left alone once done", async () => {
    const { films, cacheFolder, place } = await phantomFolder({ count: 72, size: 48, seed: 6 });
    const opened = await openDataset(films);
    const clusterOf = (patient: string) => (Number(/\d+/.exec(patient)![0]) % 3 === 0 ? "1" : "2");
    const samples = opened.samples.map((sample) => ({
      ...sample,
      columns: { cluster: clusterOf(sample.patient) },
    }));
    const out = place("held");
    const holding = {
      dataset: { ...opened, samples },
      cluster: "1",
      options: { size: SIZE, epochs: 1, batch: 8, threads: 1, seed: 1, valFraction: 0.4 },
      films: 40,
      judged: 12,
      context: { cacheFolder, backbone: smallBackbone(SIZE) },
    };
    await holdOut(out, holding);
    expect(isHeldOut(out)).toBe(true);
    const met = runFolder(out).lines<{ patient: string }>("manifest");
    expect(met.length).toBeGreaterThanOrEqual(40);
    expect(met.length).toBeLessThan(43);
    expect(met.filter(({ patient }) => clusterOf(patient) === "1")).toEqual([]);
    const { plain, threshold, calibration } = await readHeldOut(out);
    expect(new Set(plain.patients.map(clusterOf))).toEqual(new Set(["1"]));
    const versions = new Set(plain.columns.corruption);
    expect(versions.size).toBe(11);
    expect(plain.keys.length).toBeGreaterThanOrEqual(12 * versions.size);
    expect(threshold).toBeGreaterThan(0);
    expect(calibration.method).toBe("platt");

    // Killed before it was done: goes on, and reads again only what is not there.
    const [read, done] = [join(out, "held.csv"), join(out, "done")];
    const before = readFileSync(read, "utf8");
    rmSync(done);
    await holdOut(out, { ...holding, judged: 1 });
    expect(isHeldOut(out)).toBe(true);
    expect(readFileSync(read, "utf8")).toBe(before);

    // The mean of the weights of two trainings is a third model.
    const [light, strong, mean] = [place("light"), place("strong"), place("mean")];
    const scratch = { ...holding, context: { cacheFolder } };
    const options = { ...holding.options, model: "cnn" } as const;
    await holdOut(light, { ...scratch, options });
    await holdOut(strong, { ...scratch, options: { ...options, augmentation: "strong" } });
    await holdOut(mean, { ...scratch, ingredients: [light, strong] });
    expect(isHeldOut(mean)).toBe(true);
    const said = await Promise.all([light, strong, mean].map(readHeldOut));
    const [first, second, third] = said.map((of) => ({
      keys: of.plain.keys,
      scores: of.plain.predictions.map(({ probabilities }) => probabilities[1]),
    }));
    expect(third!.keys).toEqual(first!.keys);
    expect(third!.scores).not.toEqual(first!.scores);
    expect(third!.scores).not.toEqual(second!.scores);
    expect(existsSync(join(mean, "checkpoints"))).toBe(false);
  });
});
