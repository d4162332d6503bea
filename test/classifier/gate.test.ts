/** The gate in the shipped file: in Node as in Python's runtime and in WebAssembly. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readGateMetadata, verdictOf } from "../../src/classifier/index.ts";
import { openSession, readModelFile } from "../../src/onnx/index.node.ts";
import { openWebModel } from "../support/web-runtime.ts";

interface Case {
  readonly kind: keyof typeof DRAWN;
  readonly width: number;
  readonly height: number;
  /** Of Python's runtime, in the order of the gate's table. */
  readonly values: readonly number[];
  readonly fired: readonly string[];
}

const MODEL = "models/pneumonia.onnx";
const { cases } = JSON.parse(
  readFileSync(new URL("../reference/gate/gate.json", import.meta.url), "utf8"),
) as { cases: readonly Case[] };

/** As in test/reference/gate/make.py. */
const DRAWN = {
  ramp: (x: number, _y: number, w: number) => Math.floor((x * 255) / (w - 1)),
  rings: (x: number, y: number, w: number, h: number) =>
    Math.floor(((x - (w >> 1)) ** 2 + (y - (h >> 1)) ** 2) / 64) % 256,
  blocks: (x: number, y: number) => ((x >> 4) * 37 + (y >> 4) * 91) % 256,
  black: () => 0,
};

function drawn({ kind, width, height }: Case) {
  const pixels = Uint8Array.from({ length: width * height }, (_, place) =>
    DRAWN[kind](place % width, Math.floor(place / width), width, height),
  );
  return { width, height, pixels };
}

/** Sums in another order: a thousandth of the value, or of 1 where it is less. */
const near = (value: number, expected: number) =>
  Math.abs(value - expected) <= 1e-3 * Math.max(1, Math.abs(expected));

describe("the gate of the shipped model", async () => {
  const model = await readModelFile(MODEL);
  const gate = readGateMetadata(model.metadata, MODEL)!;

  it("gives the scores and codes that Python's runtime gives", async () => {
    const session = await openSession(model);
    for (const one of cases) {
      const { width, height, pixels } = drawn(one);
      const images = { type: "uint8", dims: [1, height, width], data: pixels } as const;
      const made = await session.run({ images }, ["gate"]);
      const values = Array.from(made.gate!.data as Float32Array);
      const unlike = values.filter((value, index) => !near(value, one.values[index]!));
      expect(unlike, `${one.kind} ${width}x${height}`).toEqual([]);
      const { reasons, corrections, warnings, assessed } = verdictOf(values, gate);
      const said = [...reasons, ...corrections, ...warnings].sort();
      const expected = one.fired.filter((code) => assessed || code !== "outside-population");
      expect(said, `${one.kind} ${width}x${height}`).toEqual(expected);
    }
    await session.close();
  });

  it("gives the same scores in WebAssembly", async () => {
    const web = await openWebModel(readFileSync(MODEL));
    for (const one of cases.filter(({ kind, width }) => kind !== "black" && width === 437)) {
      const values = await web.output("gate", [drawn(one)]);
      const unlike = values.filter((value, index) => !near(value, one.values[index]!));
      expect(unlike, `${one.kind} ${one.width}x${one.height}`).toEqual([]);
    }
    await web.close();
  });
});
