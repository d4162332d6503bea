import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BINARY, writeSmallClassifier } from "../../../test/support/small-classifier.ts";
import { resizePlanes } from "../../images/index.ts";
import { openSession, readModelFile, writeModelFile } from "../../onnx/index.node.ts";
import { float32, graphBuilder } from "../../onnx/index.ts";
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

describe("the gate of a model", () => {
  it.each([96, 224])(
    "scores what its own graph does, before a network of %i pixels",
    async (size) => {
      const file = join(folder, `of-${size}.onnx`);
      writeSmallClassifier(file, BINARY, { size });
      const gate = await readModelFile("models/gate.onnx");
      writeModelFile(file, withGate(await readModelFile(file), gate));
      const session = await openSession(file);
      const alone = await openSession(gate);
      const square = graphBuilder();
      const planes = square.input("planes", "float32", [1, 1, 224, 224]);
      square.output(resizePlanes(planes, 160), "films");
      const resizing = await openSession(square.build());
      // As large as the larger network's input, so that the way there is one resizing in both.
      const pixels = Uint8Array.from({ length: 224 * 224 }, (_, i) => (i * 7 + (i >> 5)) % 256);
      const made = await session.run({
        images: { type: "uint8", dims: [1, 224, 224], data: pixels },
      });
      const { films } = await resizing.run({
        planes: float32([1, 1, 224, 224], Array.from(pixels)),
      });
      const own = await alone.run({ films: films! });
      GATE_SCORES.forEach(({ name }, index) => {
        if (name === "side" || name === "aspect") return;
        const value = (own[name]!.data as Float32Array)[0]!;
        expect(Math.abs((made.gate!.data as Float32Array)[index]! - value), name).toBeLessThan(
          1e-3 * Math.max(1, Math.abs(value)),
        );
      });
      for (const open of [session, alone, resizing]) await open.close();
    },
  );
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
