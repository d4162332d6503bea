import { afterEach, describe, expect, it, vi } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { writeSmallClassifier } from "../../test/support/small-classifier.ts";
import { readModelFile } from "../onnx/index.node.ts";
import { EXPLANATION_METHODS, openExplainer } from "./explainer.node.ts";
import { loadClassifier, modelPath } from "./load.node.ts";
import { SHIPPED_MODEL } from "./shipped.node.ts";

afterEach(() => vi.unstubAllEnvs());

describe("the shipped model", () => {
  it("is found by its name", async () => {
    const file = `${fileTree({ "x.txt": "" })}/other.onnx`;
    writeSmallClassifier(file);
    vi.stubEnv("HILUM_MODEL", file);
    await using classifier = await loadClassifier(SHIPPED_MODEL);
    expect(classifier.path).toBe(file);
  });

  it("is explained by every method, its gate and its stored weights notwithstanding", async () => {
    const model = await readModelFile(await modelPath(SHIPPED_MODEL));
    const pixels = Uint8Array.from({ length: 120 * 100 }, (_, i) => (i * 7919) % 251);
    for (const method of EXPLANATION_METHODS) {
      const explainer = await openExplainer(model, { method, steps: 8, cells: 4 });
      const [found] = await explainer.explain([{ width: 120, height: 100, pixels }]);
      await explainer.close();
      const { width, height, values } = found!.heatMap;
      expect(values).toHaveLength(width * height);
      expect(values.every(Number.isFinite)).toBe(true);
    }
  }, 60_000);

  it("is said to be missing where it is", async () => {
    vi.stubEnv("HILUM_MODEL", "/nowhere/at-all.onnx");
    expect(await rejection(modelPath(SHIPPED_MODEL))).toMatchObject({
      code: "file-not-found",
      message: expect.stringMatching(/^The shipped model is not here: .*at-all\.onnx/),
    });
  });
});
