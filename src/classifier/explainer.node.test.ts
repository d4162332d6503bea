import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import { rejection } from "../../test/support/rejection.ts";
import type { Task } from "../datasets/index.portable.ts";
import { NORMALIZATIONS, type Normalization } from "../images/index.portable.ts";
import { networkEntry } from "../models/index.ts";
import { openSession, readModelFile } from "../onnx/index.node.ts";
import { float32 } from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { EXPLANATION_METHODS, openExplainer } from "./explainer.node.ts";
import { flipAveraged } from "./flip-averaged.ts";
import { withGate } from "./gate/with-gate.ts";
import { withHeatMap } from "./heat-map.ts";
import { integratedGradientsGraph } from "./integrated-gradients.ts";
import { partsOf } from "./network-of.ts";

const TWO: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const THREE: Task = { kind: "classes", classes: ["A", "B", "C"], positive: null };
const SIZE = 16;

const classifierOf = (name: string, task: Task, normalization: Normalization = "standardize") =>
  assembleClassifier(networkEntry(name).build({ width: 0.25, depth: 1, seed: 3 }), new Map(), {
    task,
    input: { size: SIZE, fit: "squash", normalization, window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  });

const FILM = {
  width: 20,
  height: 30,
  pixels: Uint8Array.from({ length: 600 }, (_, i) => (i * 7919) % 251),
};

describe("integrated gradients", () => {
  it.each(["cnn", "dense"])(
    "of %s sum up to what the logit rises from a flat film (completeness)",
    async (name) => {
      const parts = partsOf(classifierOf(name, TWO));
      const session = await openSession(integratedGradientsGraph(parts, 256));
      const steps = float32(
        [256, 1, 1, 1],
        Array.from({ length: 256 }, (_, k) => (k + 0.5) / 256),
      );
      const ends = float32(
        [256, 1, 1, 1],
        Array.from({ length: 256 }, (_, k) => (k === 0 ? 0 : 1)),
      );
      const wanted = float32([1, 1], [1]);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.float({ min: -3, max: 3, noNaN: true }), {
            minLength: SIZE * SIZE,
            maxLength: SIZE * SIZE,
          }),
          async (pixels) => {
            const picture = float32([1, 1, SIZE, SIZE], pixels);
            const { attribution } = await session.run({ picture, steps, wanted });
            const { logit } = await session.run({ picture, steps: ends, wanted });
            const total = Array.from(attribution!.data, Number).reduce((a, b) => a + b, 0) / 256;
            const [flat, film] = [Number(logit!.data[0]), Number(logit!.data[1])];
            const scale = Math.max(0.1, Math.abs(film - flat));
            expect(Math.abs(total - (film - flat)) / scale).toBeLessThan(0.02);
          },
        ),
        { numRuns: 15, seed: 1 },
      );
      await session.close();
    },
  );
});

describe("an explainer", () => {
  it.each(NORMALIZATIONS)(
    "finds the picture that the network sees by %s",
    async (normalization) => {
      const plain = classifierOf("cnn", TWO, normalization);
      for (const model of [plain, flipAveraged(plain)]) {
        const { whole, network } = partsOf(model);
        const [film, net] = [await openSession(whole), await openSession(network)];
        const { width, height, pixels } = FILM;
        const images = { type: "uint8", dims: [1, height, width], data: pixels } as const;
        const { probabilities, picture } = await film.run({ images });
        const own = (picture!.data as Float32Array).slice(0, SIZE * SIZE);
        const { logits } = await net.run({ picture: float32([1, 1, SIZE, SIZE], own) });
        const positive = 1 / (1 + Math.exp(-Number(logits!.data[0])));
        expect(positive).toBeCloseTo(Number(probabilities!.data[1]), 5);
        await film.close();
        await net.close();
      }
    },
  );

  it.each(EXPLANATION_METHODS)(
    "speaks by %s for each film's most probable class",
    async (method) => {
      const explainer = await openExplainer(classifierOf("cnn", THREE), { method });
      const [first, second] = await explainer.explain([FILM, { ...FILM, width: 30, height: 20 }]);
      await explainer.close();
      const best = first!.probabilities.indexOf(Math.max(...first!.probabilities));
      expect(first!.label).toBe(["A", "B", "C"][best]);
      const { width, height, values } = second!.heatMap;
      expect(values).toHaveLength(width * height);
      expect(values.every(Number.isFinite)).toBe(true);
    },
  );

  it("uses the method of the file's own heat map where none is named, else Grad-CAM", async () => {
    const plain = classifierOf("cnn", TWO);
    const methods = await Promise.all(
      [plain, withHeatMap(plain, { method: "layer-cam" })].map(async (model) => {
        const explainer = await openExplainer(model);
        await explainer.close();
        return explainer.method;
      }),
    );
    expect(methods).toEqual(["grad-cam", "layer-cam"]);
  });

  it("speaks for one of two classes as much as against the other", async () => {
    const model = classifierOf("dense", TWO);
    const [pro, contra] = await Promise.all(
      ["PNEUMONIA", "NORMAL"].map(async (name) => {
        const explainer = await openExplainer(model, { method: "occlusion", class: name });
        const [found] = await explainer.explain([FILM]);
        await explainer.close();
        return found!.heatMap.values;
      }),
    );
    expect(Math.max(...pro!.map(Math.abs))).toBeGreaterThan(0);
    pro!.forEach((value, index) => {
      expect(contra![index]).toBeCloseTo(-value, 6);
    });
  });

  it.each(EXPLANATION_METHODS)(
    "reads by %s a film whose greys are inverted as the gate puts it right",
    async (method) => {
      const gate = await readModelFile("models/gate.onnx");
      const model = withGate(classifierOf("cnn", TWO), gate);
      // Dark fields either side of a bright middle: whichever of it and its negative is kept, it is one.
      const greys = Array.from({ length: 128 * 128 }, (_, i) => {
        const [x, y] = [i % 128, Math.floor(i / 128)];
        return Math.abs(x - 64) > 20 && x > 12 && x < 116 && y > 20 ? 60 : 190;
      });
      const film = { width: 128, height: 128, pixels: Uint8Array.from(greys) };
      const negative = { ...film, pixels: film.pixels.map((grey) => 255 - grey) };
      const maps = await Promise.all(
        ["NORMAL", "PNEUMONIA"].map(async (name) => {
          const options = { method, class: name, cells: 4, steps: 8 };
          const explainer = await openExplainer(model, options);
          const found = await explainer.explain([film, negative]);
          await explainer.close();
          return found.map(({ heatMap }) => [...heatMap.values]);
        }),
      );
      const [one, other] = [0, 1].map((index) => maps.flatMap((found) => found[index]!));
      expect(Math.max(...one!)).toBeGreaterThan(0);
      const dims = [one!.length];
      expectClose({ dims, data: other! }, { dims, data: one! }, { ofLargest: 1e-4 }, method);
    },
  );

  it("refuses more cells than the picture has pixels", async () => {
    const opened = openExplainer(classifierOf("cnn", TWO), { method: "occlusion", cells: 17 });
    expect(await rejection(opened)).toMatchObject({ code: "invalid-option" });
  });
});
