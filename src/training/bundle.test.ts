import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type PhantomFolder, phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import { trainedClassifier } from "../../test/support/trained-classifier.ts";
import { loadClassifier } from "../classifier/index.node.ts";
import { evaluatePredictions } from "../evaluation/index.ts";
import { readModelFile } from "../onnx/index.node.ts";
import { exportBundle } from "./bundle.ts";
import { calibrateRun } from "./calibrate.ts";
import { type RunFolder, runFolder } from "./run-folder.ts";
import { plainValidationOf } from "./run-validation.ts";

let phantoms: PhantomFolder;
let run: RunFolder;
beforeAll(async () => {
  phantoms = await phantomFolder({ count: 60, size: 64, seed: 7 });
  const out = phantoms.place("run");
  await trainedClassifier(phantoms.films, { model: "cnn", size: 32 }, { ...phantoms, out });
  run = runFolder(out);
});

describe("exportBundle", () => {
  it("writes a file whose metrics and operating point are those of its own answers", async () => {
    const out = phantoms.place("bundle.onnx");
    const bundle = await exportBundle(run, {
      out,
      averaging: "flip",
      hasFeatures: true,
      heatMap: "grad-cam++",
      weights: "float16",
      calibration: "temperature",
      rule: { kind: "sensitivity", target: 0.9 },
    });
    await using classifier = await loadClassifier(out);
    const { metadata, model } = classifier;
    expect(metadata).toMatchObject({
      input: { averaging: "flip" },
      weights: "float16",
      features: { width: expect.any(Number) },
      heatmap: { method: "grad-cam++", class: "PNEUMONIA" },
      calibration: { method: "temperature" },
      operatingPoint: { rule: expect.stringContaining("at least 0.9") },
      card: { weights: "float16", input: { averaging: "flip" } },
    });
    expect(model.graph.outputs.map(({ name }) => name)).toEqual([
      "probabilities",
      "heatmap",
      "features",
    ]);
    const { keys, predictions, task } = await plainValidationOf(run, metadata.task);
    const readings = await classifier.read(keys.map((key) => join(phantoms.films, key)));
    const own = predictions.map(({ target }, index) => ({
      target,
      probabilities: Object.values(readings[index]!.reading!.probabilities),
    }));
    const { metrics } = evaluatePredictions(own, task, {
      threshold: metadata.operatingPoint!.threshold,
      rounds: 0,
    });
    for (const [key, { value }] of Object.entries(metrics))
      expect(metadata.metrics[key], key).toBeCloseTo(value!, 4);
    expect(readFileSync(bundle.card, "utf8")).toMatch(/with its mirror[\s\S]*as float16/);
  });

  it("keeps a run's own calibration and rule, and reads no film where nothing changes", async () => {
    const away = phantoms.place("away");
    cpSync(run.path, away, { recursive: true });
    const moved = runFolder(away);
    const rule = { kind: "specificity", target: 0.8 } as const;
    await calibrateRun(moved, { method: "platt", rule });
    const out = phantoms.place("same.onnx");
    await exportBundle(moved, { out, hasFeatures: true, data: phantoms.place("nowhere") });
    await using before = await loadClassifier(away);
    await using after = await loadClassifier(out);
    expect(after.metadata.operatingPoint).toEqual(before.metadata.operatingPoint);
    expect(after.metadata.calibration).toEqual(before.metadata.calibration);
    expect(after.metadata.metrics).toEqual(before.metadata.metrics);
  });

  it("asks for a rule where the operating point was chosen on corrupted films, which it does not read", async () => {
    const away = phantoms.place("corrupted");
    cpSync(run.path, away, { recursive: true });
    const moved = runFolder(away);
    await calibrateRun(moved, { method: "platt", corrupted: { data: phantoms.films } });
    const out = phantoms.place("point.onnx");
    expect(await rejection(exportBundle(moved, { out, hasFeatures: true }))).toMatchObject({
      code: "invalid-option",
      message: expect.stringMatching(/clean and corrupted.*--operating-point/),
    });
    await exportBundle(moved, { out, hasFeatures: true, rule: { kind: "youden" } });
    await using classifier = await loadClassifier(out);
    expect(classifier.metadata.operatingPoint!.rule).not.toContain("corrupted");
  });

  it("is the mean of the weights of runs that began alike, judged as it then answers", async () => {
    const second = phantoms.place("second");
    const recipe = { model: "cnn", size: 32, augmentation: "strong" } as const;
    await trainedClassifier(phantoms.films, recipe, { ...phantoms, out: second });
    const out = phantoms.place("mean.onnx");
    const other = runFolder(second);
    const bundle = await exportBundle(run, { out, averageWith: [other] });
    await using classifier = await loadClassifier(out);
    const [mean, own, its] = await Promise.all(
      [out, run.file("model"), other.file("model")].map(async (file) => {
        const { initializers } = (await readModelFile(file)).graph;
        const [name] = [...initializers.keys()].filter((key) => /conv.*weight/i.test(key));
        return initializers.get(name!)!.data as Float32Array;
      }),
    );
    expect(own).not.toEqual(its);
    for (const [at, value] of own!.entries())
      expect(mean![at]).toBeCloseTo((value + its![at]!) / 2, 6);
    const { keys, predictions, task } = await plainValidationOf(run, classifier.metadata.task);
    const readings = await classifier.read(keys.map((key) => join(phantoms.films, key)));
    const answers = predictions.map(({ target }, index) => ({
      target,
      probabilities: Object.values(readings[index]!.reading!.probabilities),
    }));
    const { metrics } = evaluatePredictions(answers, task, { rounds: 0 });
    expect(classifier.metadata.metrics.auroc).toBeCloseTo(metrics.auroc!.value!, 4);
    expect(bundle.facts.averagedWith).toEqual([
      { epochs: 5, bestEpoch: 5, settings: { augmentation: "strong" } },
    ]);
    expect(readFileSync(bundle.card, "utf8")).toContain("the mean of those of 2 trainings");
  });

  it.each([
    ["held out other patients", { valFraction: 0.4 }, "split"],
    ["began with other weights", { seed: 2, manifest: "same.jsonl" }, "another seed"],
  ])("averages with no run that %s", async (_, options, words) => {
    const out = phantoms.place(`unlike-${words}`);
    // The first run's split, so that the seed draws weights alone.
    const lines = run.lines<object>("manifest").map((line) => `${JSON.stringify(line)}\n`);
    writeFileSync(join(phantoms.films, "same.jsonl"), lines.join(""));
    const recipe = { model: "cnn", size: 32, epochs: 1, ...options };
    await trainedClassifier(phantoms.films, recipe, { ...phantoms, out });
    const place = phantoms.place("unlike.onnx");
    const refused = exportBundle(run, { out: place, averageWith: [runFolder(out)] });
    expect(await rejection(refused)).toMatchObject({
      code: "models-unlike",
      message: expect.stringContaining(words),
    });
    expect(existsSync(place)).toBe(false);
  });

  it("puts a gate in front, and answers of films as before", async () => {
    const [bare, gated] = [phantoms.place("bare.onnx"), phantoms.place("gated.onnx")];
    await exportBundle(run, { out: bare });
    await exportBundle(run, { out: gated, gate: "models/gate.onnx" });
    await using before = await loadClassifier(bare);
    await using after = await loadClassifier(gated);
    expect([before.gate, after.gate?.scores.length]).toEqual([undefined, 12]);
    const { keys } = await plainValidationOf(run, after.metadata.task);
    const paths = keys.map((key) => join(phantoms.films, key));
    const [first, second] = [await before.read(paths), await after.read(paths)];
    second.forEach(({ reading }, index) => {
      // Of a film that it takes for a negative the answer is another.
      if (reading!.corrections.length > 0) return;
      expect(reading!.probabilities.PNEUMONIA).toBeCloseTo(
        first[index]!.reading!.probabilities.PNEUMONIA!,
        5,
      );
    });
    expect(second.some(({ reading }) => reading!.corrections.length === 0)).toBe(true);
    const error = await rejection(exportBundle(run, { out: gated, gate: bare }));
    expect(error).toMatchObject({
      code: "not-a-classifier",
      message: expect.stringContaining("no gate that Hilum wrote"),
    });
  });

  it("refuses where films that it needs are not there, and says which", async () => {
    const options = { out: phantoms.place("x.onnx"), data: phantoms.place("nowhere") };
    expect(await rejection(exportBundle(run, { ...options, averaging: "flip" }))).toMatchObject({
      code: "data-changed",
      message: expect.stringContaining("--data DIR"),
    });
  });
});
