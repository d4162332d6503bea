/** One file, two runtimes: onnxruntime-node and onnxruntime-web's WebAssembly. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Classifier, loadClassifier } from "../../src/classifier/index.node.ts";
import { assembleClassifier, type ClassifierMetadata } from "../../src/classifier/index.ts";
import { drawPhantom } from "../../src/datasets/index.ts";
import type { GreyImage } from "../../src/images/index.ts";
import { NETWORKS } from "../../src/models/index.ts";
import { openSession } from "../../src/onnx/index.node.ts";
import { filled, type Tensor, writeModel } from "../../src/onnx/index.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { trainedClassifier } from "../support/trained-classifier.ts";
import { openWebModel, type WebModel } from "../support/web-runtime.ts";

const PROMISED = 1e-4;

type Film = Pick<GreyImage, "width" | "height" | "pixels">;

/** Height, width and number of films of a batch. */
const BATCHES: readonly (readonly [string, number, number, number])[] = [
  ["one pixel", 1, 1, 1],
  ["one row", 1, 700, 1],
  ["smaller than the network's input", 31, 17, 2],
  ["the network's input", 48, 48, 3],
  ["landscape", 300, 437, 3],
  ["portrait", 611, 200, 1],
  ["a detector's full size", 1990, 2396, 1],
];

/** Films of exactly that size: a phantom's pixels, repeated where it is smaller. */
function filmsOf(height: number, width: number, count: number): Film[] {
  return Array.from({ length: count }, (_, index) => {
    const label = index % 2 === 0 ? "PNEUMONIA" : "NORMAL";
    const size = Math.min(500, Math.max(64, height, width));
    const phantom = drawPhantom({ seed: 9, index, patient: index, label, size });
    const pixels = Uint8Array.from({ length: height * width }, (_, place) => {
      const [y, x] = [Math.floor(place / width) % phantom.height, (place % width) % phantom.width];
      return phantom.pixels[y * phantom.width + x]!;
    });
    return { width, height, pixels };
  });
}

const worst = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - b[index]!)));

describe.each(["squash", "pad"] as const)("a trained model.onnx, fit %s", (fit) => {
  let classifier: Classifier;
  let web: WebModel;
  beforeAll(async () => {
    const phantoms = await phantomFolder({ count: 40, size: 96, seed: 8 });
    const out = phantoms.place("run");
    const options = { fit, model: "cnn", width: 0.25, lr: 0.002 };
    const { run } = await trainedClassifier(phantoms.films, options, { ...phantoms, out });
    classifier = await loadClassifier(run.model);
    web = await openWebModel(readFileSync(run.model));
  });
  afterAll(async () => {
    await classifier.close();
    await web.close();
  });

  it.each(BATCHES)("gives equal probabilities for films of %s", async (_, height, width, count) => {
    const films = filmsOf(height, width, count);
    const here = await classifier.probabilities(films as GreyImage[]);
    const there = await web.probabilities(films);
    expect(here).toHaveLength(count);
    for (const [negative, positive] of here as unknown as number[][])
      expect(negative! + positive!).toBeCloseTo(1, 6);
    expect(
      worst(
        here.flatMap((row) => Array.from(row)),
        there,
      ),
    ).toBeLessThan(PROMISED);
  });

  it("tells films apart by more than the difference between runtimes", async () => {
    const films = filmsOf(300, 300, 6);
    const positives = (await web.probabilities(films)).filter((_, index) => index % 2 === 1);
    expect(Math.max(...positives) - Math.min(...positives)).toBeGreaterThan(10 * PROMISED);
  });

  it("gives a film the same probabilities alone and among others of other sizes", async () => {
    const films = [...filmsOf(300, 200, 2), ...filmsOf(90, 120, 1), ...filmsOf(300, 200, 1)];
    const together = await classifier.probabilities(films as GreyImage[]);
    for (const [index, film] of films.entries()) {
      const [alone] = await classifier.probabilities([film as GreyImage]);
      expect(worst(Array.from(alone!), Array.from(together[index]!))).toBeLessThan(1e-6);
    }
  });
});

describe("the classifier of every network", () => {
  const metadata: ClassifierMetadata = {
    task: { kind: "findings", findings: ["Effusion", "Mass", "Nodule"] },
    input: { size: 64, fit: "squash", normalization: "range", window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  };

  it.each(NETWORKS.map((entry) => [entry.name, entry] as const))(
    "gives equal probabilities: %s",
    async (_, entry) => {
      const network = entry.build({ width: 0.5, depth: 1, seed: 2 });
      const model = assembleClassifier(network, new Map(), metadata);
      const films = filmsOf(150, 130, 4);
      const session = await openSession(model);
      const pixels = new Uint8Array(films.flatMap((film) => Array.from(film.pixels)));
      const images: Tensor = { type: "uint8", dims: [4, 150, 130], data: pixels };
      const { probabilities } = await session.run({ images });
      await session.close();
      const web = await openWebModel(writeModel(model));
      const there = await web.probabilities(films);
      await web.close();
      expect(probabilities!.dims).toEqual([4, 3]);
      const here = Array.from(probabilities!.data as Float32Array);
      expect(worst(here, there)).toBeLessThan(PROMISED / 10);
      expect(new Set(here.map((value) => value.toFixed(4))).size).toBeGreaterThan(3);
    },
  );

  it("refuses films that are not bytes", async () => {
    const network = NETWORKS[0]!.build({ width: 0.5, depth: 1, seed: 2 });
    const session = await openSession(assembleClassifier(network, new Map(), metadata));
    const run = session.run({ images: filled([1, 64, 64], 0) });
    await expect(run).rejects.toThrow(/uint8/);
    await session.close();
  });
});
