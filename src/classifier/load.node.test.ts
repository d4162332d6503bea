import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import { planPhantoms } from "../datasets/index.ts";
import { readImage, type WindowSetting } from "../images/index.ts";
import { networkEntry } from "../models/index.ts";
import { writeModelFile } from "../onnx/index.node.ts";
import { graphBuilder, modelOf, operators as op } from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { loadClassifier } from "./load.node.ts";

/** The same network behind films that are shown through a window, or not. */
function writeClassifier(path: string, window: WindowSetting | null): void {
  writeModelFile(
    path,
    assembleClassifier(networkEntry("dense").build({ width: 1, depth: 1, seed: 1 }), new Map(), {
      task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
      input: { size: 32, fit: "pad", normalization: "standardize", window },
      operatingPoint: null,
      provenance: {},
      metrics: {},
    }),
  );
}

const SET = { count: 40, size: 64, seed: 6 };
let place: (name: string) => string;
let films: string[];
let file: string;

beforeAll(async () => {
  const phantoms = await phantomFolder(SET);
  place = phantoms.place;
  films = planPhantoms(SET).map(({ key }) => join(phantoms.films, key));
  file = place("model.onnx");
  writeClassifier(file, null);
});

describe("loadClassifier", () => {
  it("takes a run folder for the model in it", async () => {
    const folder = place("run");
    mkdirSync(folder);
    copyFileSync(file, join(folder, "model.onnx"));
    await using classifier = await loadClassifier(folder);
    expect(classifier.path).toBe(join(folder, "model.onnx"));
    expect(classifier.metadata.input.size).toBe(32);
  });

  it("says what is missing", async () => {
    const unfinished = place("unfinished");
    mkdirSync(unfinished);
    expect(await rejection(loadClassifier(unfinished))).toMatchObject({ code: "run-unfinished" });
    expect(await rejection(loadClassifier(place("nowhere")))).toMatchObject({
      code: "file-not-found",
    });
  });

  it("refuses models that are damaged or that are no classifiers", async () => {
    const damaged = place("damaged.onnx");
    writeFileSync(damaged, "not a model");
    expect(await rejection(loadClassifier(damaged))).toMatchObject({ code: "model-malformed" });
    const other = place("other.onnx");
    const builder = graphBuilder();
    builder.output(op.relu(builder.input("x", "float32", [1])), "y");
    writeModelFile(other, modelOf(builder.build()));
    expect(await rejection(loadClassifier(other))).toMatchObject({ code: "not-a-classifier" });
  });
});

describe("a classifier's read", () => {
  it("gives each film the probabilities of its own pixels, in the order asked for", async () => {
    await using classifier = await loadClassifier(file);
    const readings = await classifier.read(films);
    expect(readings.map(({ path }) => path)).toEqual(films);
    for (const [index, { reading, error }] of readings.entries()) {
      expect(error).toBeUndefined();
      const [alone] = await classifier.probabilities([await readImage(films[index]!)]);
      expect(reading!.probability).toBeCloseTo(alone![1]!, 6);
    }
    expect(new Set(readings.map(({ reading }) => reading!.probability)).size).toBeGreaterThan(30);
  });

  it("shows films of 16 bits through the window that the model was trained with", async () => {
    const { width, height, pixels } = await readImage(films[0]!);
    // A lead marker, far above everything else: percentiles would leave the lungs dark beside it.
    const marked = pixels.map((value, at) => (at < 5 * width ? 255 : value));
    const deep = Uint16Array.from(marked, (value, at) => (at < 5 * width ? 60_000 : 16 * value));
    const raw = { raw: { width, height, channels: 1 } } as const;
    const path = place("deep.png");
    await sharp(deep, raw).toColourspace("grey16").png().toFile(path);
    const windowed = place("windowed.onnx");
    writeClassifier(windowed, { center: 2040, width: 4080 });
    await using classifier = await loadClassifier(windowed);
    const [shown] = await classifier.read([path]);
    const [expected] = await classifier.probabilities([
      { width, height, pixels: marked, source: { format: "raw", bitsPerSample: 8, window: null } },
    ]);
    expect(shown!.reading!.probability).toBeCloseTo(expected![1]!, 6);
    await using other = await loadClassifier(file);
    const [unshown] = await other.read([path]);
    expect(Math.abs(unshown!.reading!.probability! - expected![1]!)).toBeGreaterThan(1e-4);
  });

  it("reports a film that cannot be read and goes on with the others", async () => {
    await using classifier = await loadClassifier(file);
    const text = place("notes.txt");
    writeFileSync(text, "no film");
    const missing = place("gone.png");
    const paths = [films[0]!, text, films[1]!, missing, films[2]!];
    const readings = await classifier.read(paths);
    expect(readings.map(({ error }) => error?.code)).toEqual([
      undefined,
      expect.any(String),
      undefined,
      "file-not-found",
      undefined,
    ]);
    const sound = await classifier.read([films[0]!, films[1]!, films[2]!]);
    expect([0, 2, 4].map((index) => readings[index]!.reading!.probability)).toEqual(
      sound.map(({ reading }) => reading!.probability),
    );
  });

  it("tells how far it is, and stops when asked to", async () => {
    await using classifier = await loadClassifier(file);
    const seen: number[] = [];
    await classifier.read(films, { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([16, 32, 40]);
    const stop = new AbortController();
    const stopped = classifier.read(films, {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    expect(await rejection(stopped)).toMatchObject({
      code: "interrupted",
      message: "Stopped after 16 of 40 images.",
    });
  });

  it("reads nothing where nothing is asked for", async () => {
    await using classifier = await loadClassifier(file);
    expect(await classifier.read([])).toEqual([]);
  });
});
