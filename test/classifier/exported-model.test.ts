/** What a run leaves in model.onnx, seen from outside: the same film, the same answer, no patient. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Classifier, loadClassifier } from "../../src/classifier/index.node.ts";
import { openDataset } from "../../src/datasets/index.ts";
import { evaluate } from "../../src/evaluation/index.ts";
import { VERSION } from "../../src/version.ts";
import { type PhantomFolder, phantomFolder } from "../support/phantom-folder.ts";
import {
  BRIEFLY,
  spreadOfRun,
  type TrainedClassifier,
  trainedClassifier,
  worstDifference,
} from "../support/trained-classifier.ts";

/** What is promised between a run, its file and other runtimes. */
const PROMISED = 1e-4;

let phantoms: PhantomFolder;
beforeAll(async () => {
  phantoms = await phantomFolder({ count: 40, size: 300, seed: 5 });
});

describe("a run and its model.onnx", () => {
  it.each(["squash", "pad"] as const)(
    "give a full-size film the same probabilities, fit %s",
    async (fit) => {
      const out = phantoms.place("run");
      const trained = await trainedClassifier(phantoms.films, { fit }, { ...phantoms, out });
      expect(trained.validation.length).toBeGreaterThan(3);
      expect(spreadOfRun(trained)).toBeGreaterThan(100 * PROMISED);
      expect(await worstDifference(trained)).toBeLessThan(PROMISED);
    },
  );

  it("give the same probabilities with three classes", async () => {
    const dataset = await openDataset(phantoms.films, { labelPattern: "_(bacteria|virus)_" });
    const out = phantoms.place("run");
    const trained = await trainedClassifier(dataset, {}, { ...phantoms, out });
    expect(trained.validation[0]!.prediction.probabilities).toHaveLength(3);
    expect(spreadOfRun(trained)).toBeGreaterThan(100 * PROMISED);
    expect(await worstDifference(trained)).toBeLessThan(PROMISED);
  });
});

describe("evaluate", () => {
  it("sees of each film what the run saw in its cache", async () => {
    const out = phantoms.place("run");
    const { run, validation } = await trainedClassifier(phantoms.films, {}, { ...phantoms, out });
    await using classifier = await loadClassifier(run.run);
    const { samples, predictions } = await evaluate(classifier, await openDataset(phantoms.films));
    const found = new Map(samples.map(({ path }, index) => [path, predictions[index]!]));
    for (const { path, prediction } of validation) {
      expect(found.get(path)!.target).toEqual(prediction.target);
      for (const [k, p] of Array.from(prediction.probabilities).entries())
        expect(Math.abs(found.get(path)!.probabilities[k]! - p)).toBeLessThan(PROMISED);
    }
  });
});

describe("the metadata of model.onnx", () => {
  let trained: TrainedClassifier;
  let classifier: Classifier;
  beforeAll(async () => {
    const out = phantoms.place("run");
    trained = await trainedClassifier(
      phantoms.films,
      { seed: 3, fit: "pad" },
      { ...phantoms, out },
    );
    classifier = await loadClassifier(trained.run.model);
  });
  afterAll(() => classifier.close());

  it("name the labels in order, the positive class and the input", () => {
    const { task, input } = classifier.metadata;
    expect(task).toEqual({ kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 });
    expect(input).toEqual({ size: 48, fit: "pad", normalization: "standardize", window: null });
    const { inputs, outputs } = classifier.model.graph;
    expect(inputs.map(({ name, type, shape }) => ({ name, type, shape }))).toEqual([
      { name: "images", type: "uint8", shape: ["N", "H", "W"] },
    ]);
    expect(outputs.map(({ name }) => name)).toEqual(["probabilities"]);
  });

  it("hold the operating point and the metrics that validation gave there", () => {
    const { operatingPoint, metrics } = classifier.metadata;
    expect(operatingPoint!.rule).toContain("validation");
    expect(metrics).toEqual(trained.run.metrics);
    const right = trained.validation.filter(({ prediction: { target, probabilities } }) => {
      const isPositive = probabilities[1]! >= operatingPoint!.threshold;
      return isPositive === (target[1] === 1);
    });
    expect(metrics.accuracy).toBeCloseTo(right.length / trained.validation.length, 12);
    expect(Object.keys(metrics)).toEqual(
      expect.arrayContaining([
        "balancedAccuracy",
        "logLoss",
        "sensitivity",
        "specificity",
        "auroc",
      ]),
    );
  });

  it("tell how it was trained", () => {
    const { provenance } = classifier.metadata;
    const { metric, ...recipe } = BRIEFLY;
    expect(provenance.selectedBy).toBe(`validation ${metric}`);
    const config = JSON.parse(readFileSync(join(trained.run.run, "config.json"), "utf8"));
    expect(provenance).toMatchObject({
      hilum: VERSION,
      recipe: { ...recipe, seed: 3, fit: "pad" },
      bestEpoch: recipe.epochs,
      trainingImages: trained.run.images.train,
      validationImages: trained.run.images.validation,
      manifestSha256: config.manifestSha256,
    });
    expect(provenance.trainingPatients).toBeLessThan(trained.run.images.train);
  });

  it("say that it is not for clinical use", () => {
    expect(classifier.model.metadata.get("hilum.notice")).toMatch(/not for clinical use/i);
  });
});

describe("the bytes of model.onnx", () => {
  /** Films called after animals, in folders called after others, of patients called after stars. */
  async function namedFolder(): Promise<{ folder: string; names: string[] }> {
    const { samples } = await openDataset(phantoms.films);
    const folder = phantoms.place("marmoset-ward");
    mkdirSync(join(folder, "quokka scans"), { recursive: true });
    const lines = samples.map(({ path, target }, index) => {
      const file = `quokka scans/okapi${String(index).padStart(3, "0")}-${basename(path)}`;
      writeFileSync(join(folder, file), readFileSync(path));
      const patient = `Betelgeuse-${1000 + Math.floor(index / 2)}`;
      return `${file},${target[1] === 1 ? "PNEUMONIA" : "NORMAL"},${patient},Saint Caracal`;
    });
    writeFileSync(
      join(folder, "tamarin.csv"),
      ["path,label,patient,hospital", ...lines].join("\n"),
    );
    return { folder, names: ["marmoset", "quokka", "okapi", "etelgeuse", "aracal", "tamarin"] };
  }

  it("hold no path, file name, patient or further column", async () => {
    const { folder, names } = await namedFolder();
    const out = phantoms.place("axolotl-run");
    const dataset = await openDataset(join(folder, "tamarin.csv"));
    expect(dataset.samples.at(0)!.patient).toMatch(/Betelgeuse-\d+/);
    const { run } = await trainedClassifier(dataset, {}, { ...phantoms, out });
    const moved = join(phantoms.place("elsewhere"));
    renameSync(run.run, moved);
    const text = readFileSync(join(moved, "model.onnx")).toString("latin1");
    const further = [
      "axolotl",
      "hilum-train-",
      "/tmp",
      "synthetic_person",
      ".png",
      ".jpeg",
      ".csv",
    ];
    expect([...names, ...further].filter((name) => text.includes(name))).toEqual([]);
    // The search finds what is there, and the run's own folder does hold such names.
    expect(text).toContain("PNEUMONIA");
    expect(readFileSync(join(moved, "manifest.jsonl"), "utf8")).toContain("Betelgeuse");
  });

  it("hold no pattern by which names were read", async () => {
    const out = phantoms.place("run");
    const options = { patientPattern: "(synthetic_person\\d+)_" };
    const { run } = await trainedClassifier(phantoms.films, options, { ...phantoms, out });
    expect(readFileSync(join(out, "config.json"), "utf8")).toContain("synthetic_person");
    expect(readFileSync(run.model).toString("latin1")).not.toContain("synthetic_person");
  });
});
