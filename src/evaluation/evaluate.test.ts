import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import { type Classifier, loadClassifier } from "../classifier/index.node.ts";
import {
  assembleClassifier,
  type ClassifierMetadata,
  calibrated,
  calibrateProbabilities,
} from "../classifier/index.ts";
import { type Dataset, openDataset } from "../datasets/index.ts";
import { readImage } from "../images/index.ts";
import { networkEntry } from "../models/index.ts";
import { writeModelFile } from "../onnx/index.node.ts";
import { evaluate } from "./evaluate.ts";

const METADATA: ClassifierMetadata = {
  task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
  input: { size: 32, fit: "squash", normalization: "standardize", window: null },
  operatingPoint: { threshold: 0.25, rule: "stated" },
  provenance: {},
  metrics: {},
};

let folder: string;
let place: (name: string) => string;
let dataset: Dataset;
let classifier: Classifier;

/** A classifier that nobody trained: what it says does not matter here. */
async function classifierOf(metadata: ClassifierMetadata): Promise<Classifier> {
  const file = `${place("model")}.onnx`;
  const network = networkEntry("dense").build({ width: 1, depth: 1, seed: 1 });
  writeModelFile(file, assembleClassifier(network, new Map(), metadata));
  return loadClassifier(file);
}

beforeAll(async () => {
  const splits = { train: 0.5, test: 0.5 };
  const phantoms = await phantomFolder({ count: 24, size: 64, seed: 2, splits });
  folder = phantoms.films;
  place = phantoms.place;
  dataset = await openDataset(folder);
  classifier = await classifierOf(METADATA);
});
afterAll(() => classifier.close());

describe("evaluate", () => {
  it("takes the test part where there is one, or the part that is asked for", async () => {
    const { split, samples, predictions, evaluation, problems } = await evaluate(
      classifier,
      dataset,
    );
    expect(split).toBe("test");
    expect([...samples]).toEqual([...dataset.split("test")]);
    expect([predictions.length, evaluation.n]).toEqual([samples.length, samples.length]);
    expect(problems).toEqual([]);
    const train = await evaluate(classifier, dataset, { split: "train" });
    expect(train.samples).toEqual([...dataset.split("train")]);
  });

  it("takes everything where there are no parts", async () => {
    const part = await openDataset(join(folder, "train"));
    const { split, samples } = await evaluate(classifier, part);
    expect([split, samples.length]).toEqual([null, part.samples.length]);
    expect(await rejection(evaluate(classifier, part, { split: "test" }))).toMatchObject({
      code: "split-unknown",
      message: expect.stringContaining("leave --split out"),
    });
  });

  it("names the parts that there are", async () => {
    expect(await rejection(evaluate(classifier, dataset, { split: "val" }))).toMatchObject({
      code: "split-unknown",
      details: { split: "val", allowed: ["test", "train"] },
    });
  });

  it("judges at the stored operating point, and at a half without one", async () => {
    expect((await evaluate(classifier, dataset)).evaluation.threshold).toBe(0.25);
    await using undecided = await classifierOf({ ...METADATA, operatingPoint: null });
    expect((await evaluate(undecided, dataset)).evaluation.threshold).toBe(0.5);
  });

  it("puts labels into the model's order, and knows when they are others", async () => {
    const reversed = { kind: "classes", classes: ["PNEUMONIA", "NORMAL"], positive: 0 } as const;
    await using other = await classifierOf({ ...METADATA, task: reversed });
    const { samples, predictions, evaluation } = await evaluate(other, dataset);
    expect(evaluation.positive).toBe("PNEUMONIA");
    expect(predictions.map(({ target }) => target)).toEqual(
      samples.map(({ target }) => [target[1], target[0]]),
    );
    const strange = await openDataset(folder, { labelPattern: "_(bacteria|virus)_" });
    expect(await rejection(evaluate(classifier, strange))).toMatchObject({ code: "labels-differ" });
  });

  it("has what the network said before its calibration, where that is asked for", async () => {
    const plain = await evaluate(classifier, dataset);
    expect(plain.uncalibrated).toBeNull();
    const map = { kind: "logistic", slope: 0.5, intercept: -0.2 } as const;
    const file = `${place("calibrated")}.onnx`;
    const calibration = { method: "platt", positive: 1, map } as const;
    const judged = { operatingPoint: null, metrics: {} };
    writeModelFile(file, calibrated(classifier.model, calibration, judged));
    await using silent = await loadClassifier(file);
    expect((await evaluate(silent, dataset)).uncalibrated).toBeNull();
    await using asked = await loadClassifier(file, { isUncalibratedWanted: true });
    const { uncalibrated, predictions } = await evaluate(asked, dataset);
    expect(uncalibrated).toEqual(
      plain.predictions.map(({ target, probabilities }) => ({
        target,
        probabilities: Float32Array.from(probabilities),
      })),
    );
    predictions.forEach(({ probabilities }, film) => {
      const before = plain.predictions[film]!.probabilities;
      expect(probabilities[1]).toBeCloseTo(calibrateProbabilities(calibration, before)[1]!, 5);
    });
  });

  it("has the shape of each film", async () => {
    const { films, samples } = await evaluate(classifier, dataset);
    expect(films).toHaveLength(samples.length);
    const { width, height, pixels } = await readImage(samples.at(3)!.path);
    const mean = pixels.reduce((sum, grey) => sum + grey, 0) / pixels.length / 255;
    expect(films[3]).toMatchObject({ width, height, aspect: width / height });
    expect(films[3]!.mean).toBeCloseTo(mean, 10);
  });

  it("evaluates data that lack a class of the model", async () => {
    const three = { kind: "classes", classes: ["NORMAL", "PNEUMONIA", "OTHER"] } as const;
    await using wider = await classifierOf({
      ...METADATA,
      task: { ...three, positive: null },
      operatingPoint: null,
    });
    const { predictions, evaluation } = await evaluate(wider, dataset);
    expect(predictions.every(({ target }) => target[2] === 0)).toBe(true);
    expect(evaluation.perClass!.OTHER!.sensitivity!.value).toBeNull();
    expect(evaluation.metrics.accuracy!.value).not.toBeNull();
  });

  it("knows nothing of findings that the data lack or leave open", async () => {
    const lines = dataset.samples.map(({ key, target }, index) =>
      JSON.stringify({
        path: key,
        findings: { Mass: index % 3 === 0 ? null : target[1], Edema: 1 },
      }),
    );
    const manifest = join(folder, "findings.jsonl");
    writeFileSync(manifest, lines.join("\n"));
    const findings = ["Edema", "Nodule", "Mass"];
    await using model = await classifierOf({ ...METADATA, task: { kind: "findings", findings } });
    const { samples, predictions, evaluation } = await evaluate(model, await openDataset(manifest));
    const byKey = new Map(dataset.samples.map(({ key }, index) => [key, index]));
    expect(predictions.map(({ target }) => target)).toEqual(
      samples.map(({ key }) => {
        const index = byKey.get(key)!;
        return [1, null, index % 3 === 0 ? null : dataset.samples.at(index)!.target[1]];
      }),
    );
    expect(Object.values(evaluation.perClass!.Nodule!).map(({ value }) => value)).toEqual(
      Object.values(evaluation.perClass!.Nodule!).map(() => null),
    );
  });

  it("leaves out films that cannot be read and names them, or stops there when strict", async () => {
    const damaged = place("damaged");
    cpSync(folder, damaged, { recursive: true });
    const part = await openDataset(damaged);
    const [first, ...others] = part.split("test");
    writeFileSync(first!.path, "no film");
    const { samples, predictions, problems } = await evaluate(classifier, part);
    expect(samples).toEqual([...others]);
    expect(predictions).toHaveLength(others.length);
    expect(problems).toMatchObject([{ key: first!.key, severity: "error" }]);
    const strict = await rejection(evaluate(classifier, part, { isStrict: true }));
    expect([strict.code]).toEqual(problems.map(({ code }) => code));
    expect(strict.message).toContain(first!.path);
  });
});
