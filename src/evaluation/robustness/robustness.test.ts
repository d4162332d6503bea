import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { writeSmallClassifier } from "../../../test/support/small-classifier.ts";
import { loadClassifier } from "../../classifier/index.node.ts";
import { openDataset } from "../../datasets/index.ts";
import type { GreyImage } from "../../images/index.ts";
import { openCorrupter } from "./corrupt.ts";
import { CORRUPTION_NAMES, GRAPH_CORRUPTIONS } from "./corruptions.ts";
import { readShiftMixture, SHIFT_MIXTURE } from "./mixture.ts";
import { estimateRobustness, filmsDrawn, robustness } from "./robustness.ts";

interface Reference {
  readonly width: number;
  readonly height: number;
  readonly pixels: readonly number[];
  /** At the first and the last severity. */
  readonly corrupted: Readonly<Record<string, readonly [readonly number[], readonly number[]]>>;
}

const REFERENCE = referenceOf<Reference>("corruptions");
const source = { format: "png", bitsPerSample: 8, window: null } as const;
const FILM: GreyImage = { ...REFERENCE, pixels: Uint8Array.from(REFERENCE.pixels), source };

/** A film of one grey. */
const flat = (grey: number, width = 60, height = 50): GreyImage => ({
  width,
  height,
  pixels: new Uint8Array(width * height).fill(grey),
  source,
});

const corrupter = openCorrupter({ seed: 3 });
afterAll(() => corrupter.close());

function momentsOf({ pixels }: GreyImage): { mean: number; deviation: number } {
  const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
  const squares = pixels.reduce((sum, pixel) => sum + (pixel - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / pixels.length) };
}

describe("the corruptions without chance", () => {
  it.each(Object.entries(REFERENCE.corrupted))(
    "are within a grey of Pillow and torchvision: %s",
    async (name, wanted) => {
      for (const [index, severity] of [1, 5].entries()) {
        const { pixels } = await corrupter.corrupt(FILM, name, severity, "film");
        const away = wanted[index]!.map((grey, i) => Math.abs(grey - pixels[i]!));
        // Pillow rounds between its passes along the two axes.
        expect(Math.max(...away), `severity ${severity}`).toBeLessThanOrEqual(1);
      }
    },
  );
});

describe("the noises", () => {
  it.each([
    ["gaussian noise", 0.08 * 255],
    ["speckle noise", 0.2 * 120],
    ["shot noise", Math.sqrt((120 / 255) * 80) * (255 / 80)],
  ])("have the deviation of their definition: %s", async (name, wanted) => {
    const { mean, deviation } = momentsOf(await corrupter.corrupt(flat(120), name, 5, "film"));
    expect(Math.abs(deviation / wanted - 1)).toBeLessThan(0.06);
    expect(Math.abs(mean - 120)).toBeLessThan(2);
  });

  it("strike the share of pixels that impulse noise names, half of them white", async () => {
    const { pixels } = await corrupter.corrupt(flat(120, 200, 200), "impulse noise", 5, "film");
    const share = (grey: number) => pixels.filter((pixel) => pixel === grey).length / 40_000;
    expect(share(0)).toBeCloseTo(0.01, 2);
    expect(share(255)).toBeCloseTo(0.01, 2);
    expect(share(0) + share(120) + share(255)).toBe(1);
  });

  it("are the same again for the same film, and others for another", async () => {
    const of = async (key: string) =>
      (await corrupter.corrupt(FILM, "gaussian noise", 3, key)).pixels;
    expect(await of("a")).toEqual(await of("a"));
    expect(await of("a")).not.toEqual(await of("b"));
  });
});

describe("the corruptions of our own", () => {
  it("invert the greys fully at the last severity", async () => {
    const { pixels } = await corrupter.corrupt(FILM, "inverted greys", 5, "film");
    expect(Array.from(pixels)).toEqual(REFERENCE.pixels.map((grey) => 255 - grey));
  });

  it("blacken the border and burn letters in", async () => {
    const bordered = await corrupter.corrupt(flat(120, 100, 100), "missing border", 5, "film");
    expect(bordered.pixels.filter((pixel) => pixel === 120).length).toBe(70 * 70);
    const marked = await corrupter.corrupt(flat(120, 200, 100), "burnt-in text", 5, "film");
    const white = marked.pixels.filter((pixel) => pixel === 255).length;
    expect(white).toBeGreaterThan(300);
    expect(marked.pixels.filter((pixel) => pixel === 120).length).toBe(20_000 - white);
  });

  it("shift by a share of the film and turn about its centre", async () => {
    const shifted = await corrupter.corrupt(flat(120, 100, 100), "shift", 4, "film");
    expect(shifted.pixels.filter((pixel) => pixel === 120).length).toBe(90 * 90);
    const dot = flat(0, 101, 101);
    dot.pixels[50 * 101 + 50] = 255;
    const turned = await corrupter.corrupt(dot, "rotation", 5, "film");
    expect(turned.pixels[50 * 101 + 50]).toBe(255);
  });
});

describe("the corruptions of framing", () => {
  it("enlarge and shrink about the centre, across, down or both, on black ground", async () => {
    // A bright square of 20 in the middle of 100: its extent tells both factors.
    const film = flat(0, 100, 100);
    for (let y = 40; y < 60; y++) film.pixels.fill(200, y * 100 + 40, y * 100 + 60);
    const extent = async (name: string, severity: number) => {
      const { pixels } = await corrupter.corrupt(film, name, severity, "film");
      const along = (of: (i: number) => number) =>
        Array.from({ length: 100 }, (_, i) => pixels[of(i)]!).filter((grey) => grey > 100).length;
      return [along((i) => 50 * 100 + i), along((i) => i * 100 + 50)];
    };
    expect(await extent("cropped", 4)).toEqual([24, 24]);
    expect(await extent("padded", 4)).toEqual([16, 16]);
    expect(await extent("taller", 5)).toEqual([20, 28]);
    expect(await extent("wider", 5)).toEqual([28, 20]);
    const padded = await corrupter.corrupt(flat(120, 100, 100), "padded", 4, "film");
    expect(padded.pixels.filter((grey) => grey > 0).length).toBe(80 * 80);
  });
});

describe("a corrupter", () => {
  it("makes every film worse the further the severity goes", async () => {
    const large = flat(0, 256, 192);
    large.pixels.forEach((_, i) => {
      large.pixels[i] = FILM.pixels[(i >> 11) * 32 + ((i % 256) >> 3)]!;
    });
    const away = async (name: string, severity: number) => {
      const { pixels } = await corrupter.corrupt(large, name, severity, "film");
      return pixels.reduce((sum, pixel, i) => sum + Math.abs(pixel - large.pixels[i]!), 0);
    };
    for (const name of CORRUPTION_NAMES)
      expect(await away(name, 5), name).toBeGreaterThan(await away(name, 1));
  });

  it("brings large films to a shorter side of 224 and leaves small ones alone", async () => {
    const { width, height, pixels } = await corrupter.prepare(flat(99, 900, 448));
    expect([width, height, pixels.length]).toEqual([450, 224, 450 * 224]);
    expect(pixels.every((pixel) => pixel === 99)).toBe(true);
    expect(await corrupter.prepare(FILM)).toBe(FILM);
  });
});

describe("the mixture of a shift", () => {
  it("holds only corruptions that there are, the clean film first", () => {
    const [clean, ...rest] = SHIFT_MIXTURE;
    expect(clean).toEqual({ corruption: "none", severity: 0 });
    for (const { corruption } of rest) expect(CORRUPTION_NAMES).toContain(corruption);
  });

  it("reads every film in every part", async () => {
    const phantoms = await phantomFolder({ count: 4, size: 64, seed: 2 });
    const file = `${phantoms.place("model")}.onnx`;
    writeSmallClassifier(file);
    await using classifier = await loadClassifier(file);
    const samples = [...(await openDataset(phantoms.films)).samples];
    const parts = await readShiftMixture(classifier, samples, { seed: 1 });
    expect(parts.map(({ corruption }) => corruption)).toEqual(
      SHIFT_MIXTURE.map(({ corruption }) => corruption),
    );
    for (const { predictions } of parts)
      expect(predictions.map(({ target }) => target)).toEqual(samples.map(({ target }) => target));
    const [clean, cropped] = parts.map(({ predictions }) => predictions[0]!.probabilities);
    expect(cropped).not.toEqual(clean);
  });
});

describe("robustness", () => {
  it("reads every film clean and in each corruption, and says beforehand how long it takes", async () => {
    const phantoms = await phantomFolder({ count: 6, size: 64, seed: 2 });
    const file = `${phantoms.place("model")}.onnx`;
    writeSmallClassifier(file);
    await using classifier = await loadClassifier(file);
    const samples = [...(await openDataset(phantoms.films)).samples];
    const corruptions = ["inverted greys", "JPEG quality"];
    const done: number[] = [];
    const found = await robustness(classifier, samples, {
      corruptions,
      atOnce: 3,
      onProgress: (progress) => done.push(progress.done),
    });
    expect(await robustness(classifier, samples, { corruptions, atOnce: 1 })).toEqual(found);
    const { films, clean, corruptions: results } = found;
    expect(films).toBe(6);
    expect(clean).toMatchObject({ corruption: "none", severity: 0 });
    expect(results.map(({ corruption, severity }) => [corruption, severity])).toEqual(
      corruptions.flatMap((name) => [1, 2, 3, 4, 5].map((severity) => [name, severity])),
    );
    for (const { auroc, balancedAccuracy } of [clean, ...results])
      expect([auroc! >= 0, auroc! <= 1, balancedAccuracy! >= 0]).toEqual([true, true, true]);
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
    expect(results.some(({ auroc }) => auroc !== clean.auroc)).toBe(true);
    const paths = [...samples.map(({ path }) => path), join(phantoms.films, "none.png")];
    const estimate = await estimateRobustness(classifier, paths.toReversed(), { corruptions });
    expect(estimate).toEqual({ films: 7, readings: 7 * 11, seconds: expect.any(Number) });
    expect(await estimateRobustness(classifier, paths.slice(6))).toBeNull();
    expect(await estimateRobustness(classifier, [])).toBeNull();
    const aborted = { signal: AbortSignal.abort() };
    expect(await rejection(robustness(classifier, samples, aborted))).toMatchObject({
      code: "interrupted",
    });
    const strange = { corruptions: ["snow"] };
    expect(await rejection(robustness(classifier, samples, strange))).toMatchObject({
      code: "invalid-option",
    });
    const missing = [{ path: join(phantoms.films, "none.png"), target: [0, 1] as const }];
    expect(await rejection(robustness(classifier, missing))).toMatchObject({
      code: "file-not-found",
    });
  });

  it("draws films with each class's share, the same again, in their order", () => {
    const films = Array.from({ length: 100 }, (_, place) => ({
      place,
      target: place % 4 === 0 ? ([1, 0] as const) : ([0, 1] as const),
    }));
    const drawn = filmsDrawn(films, 20);
    expect(drawn.filter(({ target }) => target[0] === 1)).toHaveLength(5);
    expect(drawn).toHaveLength(20);
    expect(drawn).toEqual(drawn.toSorted((a, b) => a.place - b.place));
    expect(filmsDrawn(films, 20)).toEqual(drawn);
    expect(filmsDrawn(films, 20, { seed: 1 })).not.toEqual(drawn);
    expect(filmsDrawn(films, 100)).toEqual(films);
  });

  it("has each corruption of MedMNIST-C's chest X-rays under a name of its own", () => {
    expect(new Set(CORRUPTION_NAMES).size).toBe(GRAPH_CORRUPTIONS.length + 1);
    expect(GRAPH_CORRUPTIONS.filter(({ definition }) => definition === "MedMNIST-C").length).toBe(
      12,
    );
  });
});
