import { existsSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { writeSmallClassifier } from "../support/small-classifier.ts";

const hilum = commandLine();

it("explain --json has an overlay of each film, and a line for what is none", async () => {
  const phantoms = await phantomFolder({ count: 2, size: 48, seed: 11 });
  const [model, junk, out] = ["model.onnx", "junk.png", "out"].map((name) => phantoms.place(name));
  writeSmallClassifier(model!);
  writeFileSync(junk!, "no film");
  const words = ["explain", model!, phantoms.films, junk!, "--out", out!, "--json"];
  const { exitCode, stderr, json } = await hilum(...words);
  const { images } = json<{ images: Record<string, unknown>[] }>();
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^hilum: .*junk.* is not an image.*$/m);
  expect(images.at(-1)).toMatchObject({ path: junk, error: { code: "image-unrecognised" } });
  const films = images.filter(({ overlay }) => overlay);
  expect(films).toHaveLength(2);
  for (const film of films) {
    expect(film).toMatchObject({ class: "PNEUMONIA", method: "grad-cam" });
    expect(existsSync(String(film.overlay))).toBe(true);
  }
  const refused = await hilum("explain", model!, phantoms.films, "--class", "PNEUMONA");
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('Did you mean "PNEUMONIA"?');
});
