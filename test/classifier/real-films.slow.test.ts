/** The same promise on real films, of 445x140 to 2396x1990 pixels, where they lie beside the repository. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { phantomFolder } from "../support/phantom-folder.ts";
import { spreadOfRun, trainedClassifier, worstDifference } from "../support/trained-classifier.ts";

const FILMS = "../shared/data/kermany-full-sample";

describe.skipIf(!existsSync(FILMS))("a run on real films and its model.onnx", () => {
  it.each(["squash", "pad"] as const)(
    "give each film the same probabilities, fit %s",
    async (fit) => {
      const { cacheFolder, place } = await phantomFolder({ count: 1, size: 64 });
      const options = { fit, valFraction: 0.5 };
      const trained = await trainedClassifier(FILMS, options, { cacheFolder, out: place("run") });
      expect(trained.validation.length).toBeGreaterThan(20);
      expect(spreadOfRun(trained)).toBeGreaterThan(0.01);
      expect(await worstDifference(trained)).toBeLessThan(1e-4);
    },
  );
});
