import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import type { Task } from "../datasets/index.portable.ts";
import { networkEntry } from "../models/index.ts";
import { openSession } from "../onnx/index.node.ts";
import {
  graphBuilder,
  type Model,
  modelOf,
  operators as op,
  readModel,
  writeModel,
} from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { calibrated, uncalibrated } from "./calibrated.ts";
import { type Calibration, calibrateProbabilities, type ProbabilityMap } from "./calibration.ts";
import { readMetadata } from "./metadata.ts";

const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;
const REVERSED = { kind: "classes", classes: ["ILL", "WELL"], positive: 0 } as const;
const THREE = { kind: "classes", classes: ["A", "B", "C"], positive: null } as const;
const FINDINGS = { kind: "findings", findings: ["Mass", "Edema"] } as const;

const LOGISTIC: ProbabilityMap = { kind: "logistic", slope: 0.4, intercept: -0.3 };
const BETA: ProbabilityMap = { kind: "beta", a: 0.7, b: 1.6, c: 0.2 };
/** With a climb at one place, and one narrower than single precision. */
const ISOTONIC: ProbabilityMap = {
  kind: "isotonic",
  knots: [
    [0.1, 0],
    [0.3, 0.2],
    [0.4, 0.2],
    [0.45, 0.3],
    [0.45, 0.35],
    [0.450000001, 0.4],
    [0.6, 0.9],
    [0.61, 0.9],
  ],
};

const CASES: readonly (readonly [string, Task, Calibration])[] = [
  ["temperature", TWO, { method: "temperature", positive: 1, map: { ...LOGISTIC, intercept: 0 } }],
  ["Platt", TWO, { method: "platt", positive: 1, map: LOGISTIC }],
  ["Platt, the positive class first", REVERSED, { method: "platt", positive: 0, map: LOGISTIC }],
  ["beta", TWO, { method: "beta", positive: 1, map: BETA }],
  ["isotonic", TWO, { method: "isotonic", positive: 1, map: ISOTONIC }],
  [
    "isotonic of one level",
    TWO,
    { method: "isotonic", positive: 1, map: { kind: "isotonic", knots: [[0.5, 0.25]] } },
  ],
  ["temperature of several classes", THREE, { method: "temperature", temperature: 2.5 }],
  ["each finding its own", FINDINGS, { method: "beta", maps: [BETA, null] }],
];

const JUDGED = { operatingPoint: { threshold: 0.3, rule: "stated" }, metrics: { auroc: 0.9 } };

function classifierOf(task: Task): Model {
  const network = networkEntry("cnn").build({ width: 0.25, depth: 1, seed: 1 });
  return assembleClassifier(network, new Map(), {
    task,
    input: { size: 32, fit: "squash", normalization: "standardize", window: null },
    operatingPoint: { threshold: 0.7, rule: "stated" },
    provenance: {},
    metrics: {},
  });
}

const IMAGES = Uint8Array.from(
  { length: 5 * 32 * 32 },
  (_, i) => (i * i * 31 + (i >> 10) * 40) % 256,
);

async function read(model: Model): Promise<number[][]> {
  const session = await openSession(writeModel(model));
  const images = { type: "uint8", dims: [5, 32, 32], data: IMAGES } as const;
  const { probabilities } = await session.run({ images });
  await session.close();
  const values = Array.from(probabilities!.data as Float32Array);
  const size = values.length / 5;
  return Array.from({ length: 5 }, (_, film) => values.slice(film * size, (film + 1) * size));
}

describe("calibrated", () => {
  it.each(CASES)(
    "says in ONNX Runtime what the function says: %s",
    async (_, task, calibration) => {
      const plain = classifierOf(task);
      const model = readModel(writeModel(calibrated(plain, calibration, JUDGED)));
      const [before, after] = [await read(plain), await read(model)];
      for (const [film, probabilities] of before.entries()) {
        const wanted = calibrateProbabilities(calibration, probabilities);
        for (const [label, p] of after[film]!.entries())
          expect(Math.abs(p - wanted[label]!), `film ${film}`).toBeLessThan(2e-6);
      }
      expect(readMetadata(model.metadata, "model")).toMatchObject({ ...JUDGED, calibration });
    },
  );

  it("replaces an earlier calibration, and gives the network's own back", async () => {
    const plain = classifierOf(TWO);
    const [, , first] = CASES[1]!;
    const [, , second] = CASES[4]!;
    const twice = calibrated(
      readModel(writeModel(calibrated(plain, first, JUDGED))),
      second,
      JUDGED,
    );
    expect(await read(twice)).toEqual(await read(calibrated(plain, second, JUDGED)));
    const back = uncalibrated(readModel(writeModel(twice)));
    expect(await read(back)).toEqual(await read(plain));
    expect(back.graph.nodes.length).toBe(plain.graph.nodes.length);
    expect(back.graph.initializers.size).toBe(plain.graph.initializers.size);
    expect(readMetadata(back.metadata, "model")).toMatchObject({
      operatingPoint: null,
      calibration: null,
    });
  });

  it("leaves a model alone that is not calibrated", () => {
    const plain = classifierOf(TWO);
    expect(uncalibrated(plain)).toBe(plain);
  });

  it("refuses what has no probabilities", () => {
    const builder = graphBuilder();
    builder.output(op.relu(builder.input("x", "float32", [1])), "y");
    const model = modelOf(builder.build(), { metadata: classifierOf(TWO).metadata });
    expect(thrownBy(() => calibrated(model, CASES[0]![2], JUDGED))).toMatchObject({
      code: "not-a-classifier",
    });
  });
});

describe("calibrateProbabilities", () => {
  it("follows the knots, level beyond them", () => {
    const [, , calibration] = CASES[4]!;
    const at = (p: number) => calibrateProbabilities(calibration, [1 - p, p])[1]!;
    expect([0, 0.1, 0.2, 0.35, 1].map(at)).toEqual(
      [0, 0, 0.1, 0.2, 0.9].map((p) => expect.closeTo(p, 6)),
    );
  });

  it("stays within 0 and 1 where a probability is 0 or 1", () => {
    for (const [, task, calibration] of CASES) {
      if (task.kind === "findings") continue;
      const sure = task.classes.map((_, label) => (label === 0 ? 1 : 0));
      for (const p of calibrateProbabilities(calibration, sure))
        expect(p >= 0 && p <= 1).toBe(true);
    }
  });
});
