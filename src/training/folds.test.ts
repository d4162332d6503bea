import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import { manifestLines, openDataset, type Sample } from "../datasets/index.ts";
import { compareSets, readPredictions } from "../evaluation/index.ts";
import { setsOnValidation } from "./compared-sets.ts";
import { summaryOf, trainFolds } from "./folds.ts";
import { runFolder } from "./run-folder.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 24, size: 32, seed: 4 });

describe("summaryOf", () => {
  it("is mean and standard deviation over the folds that have the metric", () => {
    const summary = summaryOf([
      { auroc: 0.5, npv: null, ppv: 1 },
      { auroc: 0.75, npv: null, ppv: null },
      { auroc: 1, npv: null, ppv: null },
    ]);
    expect(summary.metrics).toEqual({ auroc: 0.75, npv: null, ppv: 1 });
    expect(summary.deviations).toEqual({ auroc: 0.25, npv: null, ppv: null });
  });
});

describe("trainFolds", () => {
  const refusal = (out: string, options: object) =>
    rejection(trainFolds("films", options, { out }));

  it.each([undefined, null, 1, 2.5, 101])("refuses %s folds", async (folds) => {
    expect(await refusal(fileTree([]), { folds })).toMatchObject({
      code: "invalid-option",
      details: { option: "folds" },
    });
  });

  it("refuses the choice of one fold", async () => {
    const error = await refusal(fileTree([]), { folds: 3, fold: 2 });
    expect(error).toMatchObject({ code: "invalid-option", details: { option: "fold" } });
  });

  it.each([
    ["config.json", /a run of one model/],
    ["fold-1/config.json", /holds folds already. Go on with them by --resume/],
    ["thesis.txt", /is no run, but holds files already/],
  ])("refuses a folder that holds %s", async (file, message) => {
    const error = await refusal(fileTree([file]), { folds: 3 });
    expect(error.code).toBe("run-exists");
    expect(error.message).toMatch(message);
  });
});

describe("a cross-validation", () => {
  const TINY = { size: 16, batch: 8, epochs: 1, threads: 1, folds: 2, lr: 0.01, width: 0.1 };
  const [cnn, dense] = [place("cnn"), place("dense")];
  const trained = Promise.all([
    trainFolds(films, { ...TINY, model: "cnn" }, { out: cnn, cacheFolder }),
    trainFolds(films, { ...TINY, model: "dense" }, { out: dense, cacheFolder }),
  ]);

  it("joins what each fold says of the films that it was not trained on", async () => {
    await trained;
    const joined = await readPredictions(join(cnn, "predictions.csv"));
    expect(new Set(joined.keys).size).toBe(24);
    for (const fold of ["1", "2"]) {
      const own = runFolder(join(cnn, `fold-${fold}`));
      const here = joined.keys.filter((_, index) => joined.columns.fold![index] === fold);
      const parts = own.lines<{ path: string; split: string }>("manifest");
      const held = parts.flatMap(({ path, split }) => (split === "val" ? [path] : []));
      expect(new Set(here)).toEqual(new Set(held));
      const { keys, predictions } = await readPredictions(own.file("validation"));
      for (const [index, key] of keys.entries())
        expect(joined.predictions[joined.keys.indexOf(key)]).toEqual(predictions[index]);
    }
  });

  it("is compared with another over all films", async () => {
    await trained;
    const { sets, histories } = await setsOnValidation([cnn, dense]);
    expect(histories).toEqual([]);
    const { comparison } = compareSets(sets, { rounds: 100 });
    expect(comparison.n).toBe(24);
    const [pair] = comparison.pairs;
    expect([pair?.first, pair?.second]).toEqual([cnn, dense].map((path) => basename(path)));
  });

  it("has equal folds for equal seeds, whatever the network", async () => {
    await trained;
    const foldOf = async (out: string) => {
      const { keys, columns } = await readPredictions(join(out, "predictions.csv"));
      return new Map(keys.map((key, index) => [key, columns.fold![index]]));
    };
    expect(await foldOf(cnn)).toEqual(await foldOf(dense));
  });

  it("holds out the values of a column, a fold for each", async () => {
    const manifest = `${place("manifest")}.jsonl`;
    const { samples, task } = await openDataset(films);
    const siteOf = ({ patient }: Sample) => (Number(/\d+/.exec(patient)![0]) % 2 === 0 ? "x" : "y");
    const train = samples.map((film) => ({ ...film, columns: { site: siteOf(film) } }));
    writeFileSync(manifest, [...manifestLines({ train, validation: [] }, task)].join(""));
    const out = place("sites");
    const options = { ...TINY, model: "dense", manifest, foldBy: "site" };
    await trainFolds(films, options, { out, cacheFolder });
    const { columns, patients } = await readPredictions(join(out, "predictions.csv"));
    expect(columns.fold).toEqual(columns.site!.map((site) => (site === "x" ? "1" : "2")));
    expect(new Set(patients).size).toBe(new Set(samples.map(({ patient }) => patient)).size);
    const { settings } = runFolder(join(out, "fold-1")).config();
    expect(settings).toMatchObject({ foldBy: "site", fold: 1 });
    expect(settings).not.toHaveProperty("manifest");
  });

  it("is resumed to nothing", async () => {
    const [result] = await trained;
    const file = join(cnn, "predictions.csv");
    const before = readFileSync(file);
    const again = { out: cnn, cacheFolder, isResumed: true };
    expect(await trainFolds(films, { ...TINY, model: "cnn" }, again)).toEqual(result);
    expect(readFileSync(file)).toEqual(before);
  });
});
