import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { openDataset } from "../open.ts";
import { planPhantoms, SYNTHETIC_NOTICE, writePhantomDataset } from "./phantom-dataset.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-phantoms-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("planPhantoms", () => {
  it("balances the classes, by patients with one to three films", () => {
    for (const positiveShare of [0.5, 0.75]) {
      const plan = planPhantoms({ count: 400, seed: 5, positiveShare });
      const ill = plan.filter(({ label }) => label === "PNEUMONIA");
      expect(Math.abs(ill.length - 400 * positiveShare)).toBeLessThanOrEqual(3);
      const labels = new Map<number, Set<string>>();
      for (const { patient, label } of plan)
        labels.set(patient, (labels.get(patient) ?? new Set()).add(label));
      expect([...labels.values()].every((found) => found.size === 1)).toBe(true);
      expect(labels.size).toBeGreaterThan(150);
      expect(new Set(ill.map(({ kind }) => kind)).size).toBe(3);
    }
  });

  it("gives file formats to both classes alike, and patients to one split", () => {
    const plan = planPhantoms({ count: 600, splits: { train: 0.8, test: 0.2 } });
    for (const label of ["NORMAL", "PNEUMONIA"]) {
      const films = plan.filter((film) => film.label === label);
      const share = films.filter(({ key }) => key.endsWith(".png")).length / films.length;
      expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
    }
    const patientsOf = (split: string) =>
      new Set(plan.filter(({ key }) => key.startsWith(split)).map(({ patient }) => patient));
    const test = patientsOf("test/");
    expect(
      [...patientsOf("train/")].filter((patient) => test.has(patient)).length,
    ).toBeLessThanOrEqual(0);
    expect(test.size).toBeGreaterThan(40);
  });

  it("refuses a set of no films", () => {
    for (const count of [0, -1, 1.5, Number.NaN])
      expect(() => planPhantoms({ count })).toThrow(
        expect.objectContaining({ code: "invalid-option" }),
      );
  });
});

describe("writePhantomDataset", () => {
  it("writes a folder that opens as a dataset with two classes and known patients", async () => {
    const root = join(folder, "flat");
    const progress: number[] = [];
    const plan = await writePhantomDataset(root, {
      count: 20,
      size: 64,
      onProgress: ({ done }) => progress.push(done),
    });
    expect(progress.at(-1)).toBe(20);
    const dataset = await openDataset(root);
    expect(dataset.task).toEqual({
      kind: "classes",
      classes: ["NORMAL", "PNEUMONIA"],
      positive: 1,
    });
    expect(dataset.samples.map(({ key }) => key).sort()).toEqual(plan.map(({ key }) => key).sort());
    const patients = new Set(dataset.samples.map(({ patient }) => patient));
    expect(patients.size).toBe(new Set(plan.map(({ patient }) => patient)).size);
    expect(dataset.problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const byCause = await openDataset(root, { labelPattern: "_(bacteria|virus)_" });
    expect(byCause.task).toMatchObject({ classes: ["NORMAL", "BACTERIA", "VIRUS"] });
  });

  it("says in names and metadata of every file that it is synthetic", async () => {
    const root = join(folder, "named");
    await writePhantomDataset(root, { count: 12, size: 64 });
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\./.test(name),
    );
    expect(files.length).toBe(12);
    for (const file of files) {
      expect(file).toContain("synthetic");
      const { exif } = await sharp(join(root, file)).metadata();
      expect(exif?.toString("latin1")).toContain(SYNTHETIC_NOTICE);
    }
  });

  it("writes the same bytes again, and stops when asked to", async () => {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    const plan = await writePhantomDataset(one, { count: 6, size: 64, seed: 9 });
    await writePhantomDataset(two, { count: 6, size: 64, seed: 9 });
    for (const { key } of plan)
      expect(readFileSync(join(one, key)).equals(readFileSync(join(two, key)))).toBe(true);
    await expect(
      writePhantomDataset(one, { count: 6, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "interrupted" });
  });
});
