/** The same file in a browser. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Classifier, loadClassifier } from "../../src/classifier/index.node.ts";
import { openDataset } from "../../src/datasets/index.ts";
import { readImage } from "../../src/images/index.ts";
import { type BrowserModel, noBrowser, openBrowserModel } from "../support/browser-model.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { trainedClassifier } from "../support/trained-classifier.ts";

if (noBrowser) console.warn(`The browser is not tried: ${noBrowser}.`);

describe.skipIf(noBrowser).each(["squash", "pad"] as const)(
  "model.onnx in Chromium, fit %s",
  (fit) => {
    let classifier: Classifier;
    let browser: BrowserModel;
    let films: string;
    beforeAll(async () => {
      const phantoms = await phantomFolder({ count: 40, size: 300, seed: 12 });
      films = phantoms.films;
      const out = phantoms.place("run");
      const { run } = await trainedClassifier(films, { fit }, { ...phantoms, out });
      classifier = await loadClassifier(run.model);
      browser = await openBrowserModel(readFileSync(run.model));
    });
    afterAll(async () => {
      await browser?.close();
      await classifier?.close();
    });

    it("gives each full-size film the probabilities that Node gives", async () => {
      expect(browser.isIsolated).toBe(true);
      const { samples } = await openDataset(films);
      const positives: number[] = [];
      for (const { path } of samples) {
        const film = await readImage(path);
        const [here] = await classifier.probabilities([film]);
        const there = await browser.probabilities([film]);
        expect(Math.abs(there[1]! - here![1]!)).toBeLessThan(1e-4);
        expect(there[0]! + there[1]!).toBeCloseTo(1, 5);
        positives.push(there[1]!);
      }
      expect(Math.max(...positives) - Math.min(...positives)).toBeGreaterThan(0.01);
    });
  },
);
