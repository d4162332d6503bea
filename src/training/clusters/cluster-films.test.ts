import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { smallBackbone } from "../../../test/support/small-backbone.ts";
import { type Dataset, groupBy, openDataset, type Sample } from "../../datasets/index.ts";
import { type ClusterOptions, clusterFilms } from "./cluster-films.ts";
import { clusterManifest } from "./manifest.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 36, size: 48, seed: 3 });
const isFramed = ({ patient }: Pick<Sample, "patient">) =>
  Number(/\d+/.exec(patient)![0]) % 2 === 0;

/** Films as of two archives: those of every other patient have a broad white frame. */
async function twoArchives(): Promise<Dataset> {
  const root = place("archives");
  for (const sample of (await openDataset(films)).samples) {
    const file = join(root, sample.key.replace(/\w+$/, "png"));
    mkdirSync(dirname(file), { recursive: true });
    const frame = { top: 6, bottom: 6, left: 6, right: 6, background: "white" };
    await sharp(sample.path)
      .extend(isFramed(sample) ? frame : { top: 0 })
      .png()
      .toFile(file);
  }
  return openDataset(root);
}

const dataset = await twoArchives();
const clustersOf = (given: Dataset, options: ClusterOptions = {}) =>
  clusterFilms(
    given,
    { k: 2, size: 32, threads: 1, ...options },
    {
      backbone: smallBackbone(32),
      cacheFolder,
    },
  );

describe("clusterFilms", () => {
  it("tells two archives apart, and not the classes", async () => {
    const { clusters, silhouette, clusterOf } = await clustersOf(dataset);
    const of = (framed: boolean) =>
      new Set(dataset.samples.filter((film) => isFramed(film) === framed).map(clusterOf));
    expect([of(true).size, of(false).size]).toEqual([1, 1]);
    expect(of(true)).not.toEqual(of(false));
    for (const { labels } of clusters) {
      expect(labels.NORMAL).toBeGreaterThan(3);
      expect(labels.PNEUMONIA).toBeGreaterThan(3);
    }
    expect(silhouette).toBeGreaterThan(0.2);
    expect(clusters.map(({ name }) => name)).toEqual(["1", "2"]);
    expect(clusters[0]!.patients).toBeGreaterThanOrEqual(clusters[1]!.patients);
    const sum = (key: "films" | "patients") => clusters.reduce((all, own) => all + own[key], 0);
    expect(sum("films")).toBe(36);
    expect(sum("patients")).toBe(new Set(dataset.samples.map(({ patient }) => patient)).size);
  });

  it("keeps a patient's films together, however many clusters", async () => {
    const { clusterOf } = await clustersOf(dataset, { k: 6 });
    const byPatient = groupBy(dataset.samples, ({ patient }) => patient);
    for (const own of byPatient.values()) expect(new Set(own.map(clusterOf)).size).toBe(1);
  });

  it("writes a manifest that opens as the same films with their clusters", async () => {
    const isTest = ({ key }: Sample) => /1\.png$/.test(key);
    const samples = dataset.samples.map((film) =>
      isTest(film) ? { ...film, split: "test" } : film,
    );
    const found = await clustersOf({ ...dataset, samples });
    const file = `${place("clusters")}.jsonl`;
    writeFileSync(file, clusterManifest({ ...dataset, samples }, found, "archive"));
    const opened = await openDataset(dataset.root, { manifest: file });
    expect(opened.samples.map(({ key, patient, target }) => ({ key, patient, target }))).toEqual(
      samples.map(({ key, patient, target }) => ({ key, patient, target })),
    );
    for (const film of opened.samples) {
      expect(film.split).toBe(isTest(film) ? "test" : "train");
      expect(film.columns.archive || undefined).toBe(found.clusterOf(film));
      expect(found.clusterOf(film) === undefined).toBe(isTest(film));
    }
  });

  it.each<[ClusterOptions, string, RegExp]>([
    [{ k: 1 }, "invalid-option", /k is 1; give a whole number from 2/],
    [{ k: 36 }, "split-impossible", /cannot be put into 36 clusters/],
  ])("refuses %j", async (options, code, message) => {
    const error = await rejection(clustersOf(dataset, options));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it("refuses a network that has learned nothing yet", async () => {
    const error = await rejection(clusterFilms(dataset, { model: "cnn" }, { cacheFolder }));
    expect(error).toMatchObject({ code: "invalid-option", details: { option: "model" } });
  });
});
