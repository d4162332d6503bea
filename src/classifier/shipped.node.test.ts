import { afterEach, describe, expect, it, vi } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { writeSmallClassifier } from "../../test/support/small-classifier.ts";
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

  it("is said to be missing where it is", async () => {
    vi.stubEnv("HILUM_MODEL", "/nowhere/at-all.onnx");
    expect(await rejection(modelPath(SHIPPED_MODEL))).toMatchObject({
      code: "file-not-found",
      message: expect.stringMatching(/^The shipped model is not here: .*at-all\.onnx/),
    });
  });
});
