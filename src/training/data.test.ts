import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import { openDataset, type Samples } from "../datasets/index.ts";
import { networkEntry } from "../models/index.ts";
import { openRunData } from "./data.ts";
import { settingsOf, type TrainOptions } from "./options.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 40, size: 32, seed: 2 });

const settings = (options: TrainOptions = {}) =>
  settingsOf({ model: "dense", size: 16, ...options }, networkEntry("dense").recipe, {
    metric: "auroc",
    threads: 1,
  });

async function dataOf(root: string, options: TrainOptions = {}) {
  return openRunData(await openDataset(root), settings(options), { cacheFolder });
}

/** Copies of the films, each in the part and class that the function says. */
function arranged(partOf: (index: number, name: string) => string): string {
  const root = place("arranged");
  let index = 0;
  for (const label of ["NORMAL", "PNEUMONIA"])
    for (const name of readdirSync(join(films, label)).sort()) {
      const target = join(root, partOf(index++, name), label, name);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(films, label, name), target);
    }
  return root;
}

describe("openRunData", () => {
  it("puts each film into one part and no patient into both", async () => {
    const { train, validation, manifest, close } = await dataOf(films, { valFraction: 0.3 });
    expect(train.count + validation.count).toBe(40);
    expect(validation.count).toBeGreaterThan(5);
    const patients = new Set(train.samples.map(({ patient }) => patient));
    expect(validation.samples.some(({ patient }) => patients.has(patient))).toBe(false);
    expect([...manifest()].length).toBe(40);
    close();
  });

  it("reads the films of each part", async () => {
    const { train, validation, close } = await dataOf(films);
    const all = await dataOf(films, { seed: 9 });
    const film = (part: typeof train, index: number) => {
      const out = new Uint8Array(16 * 16);
      part.readInto([index], out);
      return Buffer.from(out).toString("hex");
    };
    const known = new Map(
      [all.train, all.validation].flatMap((part) =>
        part.samples.map(({ key }, index) => [key, film(part, index)]),
      ),
    );
    for (const part of [train, validation])
      part.samples.forEach(({ key }, index) => {
        expect(film(part, index)).toBe(known.get(key));
      });
    expect(new Set(known.values()).size).toBe(40);
    close();
    all.close();
  });

  it("has the same manifest for the same seed, and another for another", async () => {
    const digest = async (seed: number) => {
      const { manifestSha256, close } = await dataOf(films, { seed });
      close();
      return manifestSha256;
    };
    expect(await digest(1)).toBe(await digest(1));
    expect(await digest(1)).not.toBe(await digest(2));
  });

  it("writes a manifest that opens as the same parts", async () => {
    const { train, validation, manifest, close } = await dataOf(films);
    const root = place("manifest");
    mkdirSync(root);
    for (const label of ["NORMAL", "PNEUMONIA"]) {
      mkdirSync(join(root, label));
      for (const name of readdirSync(join(films, label)))
        copyFileSync(join(films, label, name), join(root, label, name));
    }
    writeFileSync(join(root, "manifest.jsonl"), [...manifest()].join(""));
    const again = await openDataset(root);
    const keys = (samples: Samples) => samples.map(({ key }) => key).sort();
    expect(keys(again.split("train"))).toEqual(keys(train.samples));
    expect(keys(again.split("val"))).toEqual(keys(validation.samples));
    close();
  });

  it("never reads the test part, and warns of its patients", async () => {
    const root = arranged((index) => (index % 4 === 0 ? "test" : "train"));
    for (const label of ["NORMAL", "PNEUMONIA"])
      for (const name of readdirSync(join(root, "test", label)))
        writeFileSync(join(root, "test", label, name), "no image");
    const { train, validation, problems, close } = await dataOf(root);
    expect(train.count + validation.count).toBe(30);
    expect(problems.map(({ code }) => code)).toEqual(["test-patients-recur"]);
    close();
  });

  it("refuses patients that cross from training to validation, unless allowed", async () => {
    // Enough validation films for the data set's own part to be used.
    const { films: many } = await phantomFolder({ count: 130, size: 16, seed: 5 });
    const root = place("leaky");
    let index = 0;
    for (const label of ["NORMAL", "PNEUMONIA"])
      for (const name of readdirSync(join(many, label)).sort()) {
        const target = join(root, index++ % 2 === 0 ? "train" : "val", label, name);
        mkdirSync(dirname(target), { recursive: true });
        copyFileSync(join(many, label, name), target);
      }
    const error = await rejection(dataOf(root));
    expect(error).toMatchObject({ code: "data-leak", kind: "conflict" });
    expect(error.message).toMatch(/validation images show \d+ patients .* --allow-leaks/);
    const { leaks, close } = await dataOf(root, { allowLeaks: true });
    expect(leaks.map(({ code }) => code)).toEqual(["patient-leak"]);
    close();
  });

  it("leaves out what cannot be read and tells so, and stops where nothing can", async () => {
    const root = arranged(() => "");
    const [first, ...rest] = readdirSync(join(root, "NORMAL")).map((name) =>
      join(root, "NORMAL", name),
    );
    writeFileSync(first!, "no image");
    const { train, validation, problems, close } = await dataOf(root);
    expect(train.count + validation.count).toBe(39);
    expect(problems.map(({ code }) => code)).toContain("image-unrecognised");
    close();
    const positives = readdirSync(join(root, "PNEUMONIA")).map((name) =>
      join(root, "PNEUMONIA", name),
    );
    for (const path of [...rest, ...positives]) writeFileSync(path, "no image");
    const error = await rejection(dataOf(root));
    expect(error.code).toBe("dataset-empty");
    expect(error.message).toMatch(/^None of the 40 images can be read. The first: /);
    rmSync(root, { recursive: true });
  });

  it("makes folds that share no film and together hold them all", async () => {
    const keys: string[] = [];
    for (const fold of [1, 2, 3]) {
      const { validation, close } = await dataOf(films, { folds: 3, fold });
      keys.push(...validation.samples.map(({ key }) => key));
      close();
    }
    expect(keys.length).toBe(40);
    expect(new Set(keys).size).toBe(40);
  });
});
