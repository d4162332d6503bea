import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BINARY, writeSmallClassifier } from "../../../test/support/small-classifier.ts";
import { readModelFile, writeModelFile } from "../../onnx/index.node.ts";
import { loadClassifier } from "../load.node.ts";
import { GATE_SCORES, readGateMetadata, verdictOf } from "./scores.ts";
import { withGate, withoutGate } from "./with-gate.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-gate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SIDE = 128;
const grey = (of: (x: number, y: number) => number) => ({
  width: SIDE,
  height: SIDE,
  pixels: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => of(i % SIDE, Math.floor(i / SIDE))),
  source: { format: "png", bitsPerSample: 8, window: null } as const,
});

describe("a model with a gate", () => {
  it("scores every film, reads a negative as the film, and gives back the bare model", async () => {
    const bare = join(folder, "bare.onnx");
    writeSmallClassifier(bare, BINARY);
    const model = await readModelFile(bare);
    const gated = withGate(model, await readModelFile("models/gate.onnx"));
    const path = join(folder, "gated.onnx");
    writeModelFile(path, gated);
    await using classifier = await loadClassifier(path);
    // Dark fields either side of a bright middle: whichever of it and its negative is kept, it is one.
    const film = grey((x, y) => (Math.abs(x - 64) > 20 && x > 12 && x < 116 && y > 20 ? 60 : 190));
    const negative = { ...film, pixels: film.pixels.map((value) => 255 - value) };
    const [one, other] = await classifier.probabilities([film, negative]);
    expect(other![1]).toBeCloseTo(one![1]!, 5);
    const again = withoutGate(gated);
    expect(again.graph.outputs.map(({ name }) => name)).toEqual(["probabilities"]);
    expect(again.graph.nodes).toHaveLength(model.graph.nodes.length);
    expect(readGateMetadata(again.metadata, "it")).toBeUndefined();
  });
});

describe("the verdict", () => {
  const scores = GATE_SCORES.map((score) => ({ ...score, limit: 0 }));
  const quiet = scores.map(({ fires }) => (fires === "above" ? -1 : 1));
  it("is an assessment where nothing fires", () => {
    expect(verdictOf(quiet, { scores })).toEqual({
      assessed: true,
      reasons: [],
      corrections: [],
      warnings: [],
    });
  });
  for (const [index, { name, code, role }] of GATE_SCORES.entries())
    it(`says ${code} by ${name}`, () => {
      const verdict = verdictOf(
        quiet.map((value, i) => (i === index ? -value : value)),
        { scores },
      );
      const said = {
        refuse: verdict.reasons,
        correct: verdict.corrections,
        warn: verdict.warnings,
      };
      expect(said[role]).toEqual([code]);
      expect(verdict.assessed).toBe(role !== "refuse");
    });
  it("refuses an image whose score is no number", () => {
    expect(
      verdictOf(
        quiet.map(() => Number.NaN),
        { scores },
      ).assessed,
    ).toBe(false);
  });
});
