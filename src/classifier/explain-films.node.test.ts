import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { writeSmallClassifier } from "../../test/support/small-classifier.ts";
import { planPhantoms } from "../datasets/index.ts";
import { explainFilms } from "./explain-films.node.ts";
import { openExplainer } from "./explainer.node.ts";
import { correctedFilm } from "./gate/corrected-film.ts";
import { peakOf } from "./heated-film.node.ts";
import { loadClassifier } from "./load.node.ts";
import { overlayPng } from "./overlay.node.ts";

const FACTS = { label: "PNEUMONIA", probability: 0.9, method: "grad-cam" };

it("an overlay has the film's proportions, and colour where the heat is, not elsewhere", async () => {
  const film = { width: 100, height: 50, pixels: new Uint8Array(5000).fill(120) };
  const heat = {
    width: 5,
    height: 5,
    values: Float32Array.from({ length: 25 }, (_, i) => +(i === 6)),
  };
  const png = await overlayPng(film, heat, FACTS);
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 2 * 640 + 48, height: 320 + 128 });
  const colourAt = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * 3).subarray(0, 3),
  ];
  const [left, right, top] = [16, 16 + 640 + 16, 64];
  const hot = { x: 192, y: 96 };
  expect(peakOf(heat, film)).toEqual({ x: 0.3, y: 0.3 });
  expect(colourAt(left + hot.x, top + hot.y)).toEqual([120, 120, 120]);
  const [red, , blue] = colourAt(right + hot.x, top + hot.y);
  expect(red! - blue!).toBeGreaterThan(20);
  expect(colourAt(right + 600, top + 300)).toEqual([120, 120, 120]);
});

it("a padded film's heat is that of its own part of the square", () => {
  const heat = {
    width: 4,
    height: 4,
    values: Float32Array.from({ length: 16 }, (_, i) => +(i === 5)),
  };
  expect(peakOf(heat, { width: 100, height: 50 }, "pad")).toEqual({ x: 0.375, y: 0.25 });
  expect(peakOf({ ...heat, values: new Float32Array(16) }, { width: 9, height: 9 })).toBeNull();
});

it("a film whose greys were put right is shown so, and the picture says it", async () => {
  const film = { width: 50, height: 50, pixels: new Uint8Array(2500).fill(200) };
  const corrections = ["inverted"] as const;
  const shown = correctedFilm(film, { corrections });
  expect(shown.pixels[0]).toBe(55);
  expect(correctedFilm(film, { corrections: [] })).toBe(film);
  const heat = { width: 1, height: 1, values: new Float32Array(1) };
  const [said, unsaid] = await Promise.all(
    [corrections, undefined].map((of) => overlayPng(shown, heat, { ...FACTS, corrections: of })),
  );
  const { height } = await sharp(said).metadata();
  const line = { left: 288, top: height! - 28, width: 400, height: 20 };
  const brightest = async (png: Buffer) => {
    const pixels = await sharp(png).extract(line).greyscale().raw().toBuffer();
    return Math.max(...pixels);
  };
  expect(await brightest(said!)).toBeGreaterThan(200);
  expect(await brightest(unsaid!)).toBeLessThan(40);
});

it("films of one name get pictures of their own, and what is no film an error", async () => {
  const set = { count: 2, size: 48, seed: 11 };
  const phantoms = await phantomFolder(set);
  const model = phantoms.place("model.onnx");
  writeSmallClassifier(model);
  const paths = planPhantoms(set).map(({ key }, index) => {
    const folder = phantoms.place(`folder-${index}`);
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(phantoms.films, key), join(folder, "film.png"));
    return join(folder, "film.png");
  });
  const junk = phantoms.place("junk.png");
  writeFileSync(junk, "no film");
  await using classifier = await loadClassifier(model);
  const explainer = await openExplainer(classifier.model, { method: "occlusion", cells: 4 });
  const out = phantoms.place("out");
  const found = await explainFilms(classifier, explainer, [...paths, junk], { out });
  await explainer.close();
  expect(found.map(({ explanation }) => explanation?.overlay)).toEqual([
    join(out, "film.png"),
    join(out, "film-2.png"),
    undefined,
  ]);
  expect(found[2]!.error).toMatchObject({ code: "image-unrecognised" });
  for (const { reading, explanation } of found.slice(0, 2)) {
    expect(explanation).toMatchObject({ class: "PNEUMONIA", probability: reading!.probability });
    expect((await sharp(explanation!.overlay).metadata()).format).toBe("png");
  }
});
