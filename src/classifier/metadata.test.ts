import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { type ClassifierMetadata, NOTICE, readMetadata, writeMetadata } from "./metadata.ts";

const METADATA: ClassifierMetadata = {
  task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
  input: { size: 96, fit: "pad", normalization: "range", window: { center: 40, width: 400 } },
  operatingPoint: { threshold: 0.4375, rule: "chosen on validation" },
  provenance: { hilum: "0.1.0", recipe: { seed: 3 } },
  metrics: { auroc: 0.98, npv: null },
};

describe("the metadata of a classifier", () => {
  it("come back from the model's entries as they were", () => {
    const entries = writeMetadata(METADATA);
    expect(entries.get("hilum.notice")).toBe(NOTICE);
    expect(readMetadata(entries, "model.onnx")).toEqual(METADATA);
  });

  it("come back where the task is one of findings and no operating point was chosen", () => {
    const other: ClassifierMetadata = {
      ...METADATA,
      task: { kind: "findings", findings: ["Mass", "Nodule"] },
      input: { ...METADATA.input, window: null },
      operatingPoint: null,
    };
    expect(readMetadata(writeMetadata(other), "model.onnx")).toEqual(other);
  });

  it("are missing in other people's models", () => {
    expect(thrownBy(() => readMetadata(new Map([["producer", "x"]]), "other.onnx"))).toMatchObject({
      code: "not-a-classifier",
      message: expect.stringContaining("other.onnx is an ONNX model, but not a classifier"),
    });
  });

  it("of another format are not guessed at", () => {
    const entries = writeMetadata(METADATA).set("hilum.format", "2");
    expect(thrownBy(() => readMetadata(entries, "new.onnx"))).toMatchObject({
      code: "not-a-classifier",
      message: "new.onnx has classifier format 2; this version reads 1. Update hilum.",
    });
  });

  it.each(["task", "input", "operatingPoint", "provenance", "metrics"])(
    "are named where they are damaged: %s",
    (key) => {
      const cut = writeMetadata(METADATA);
      cut.set(`hilum.${key}`, '{"cut');
      const gone = writeMetadata(METADATA);
      gone.delete(`hilum.${key}`);
      for (const entries of [cut, gone])
        expect(thrownBy(() => readMetadata(entries, "model.onnx"))).toMatchObject({
          code: "not-a-classifier",
          details: { key },
        });
    },
  );
});
