import { describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { thrownBy } from "../../../test/support/rejection.ts";
import { type CalibrationMethod, calibrateProbabilities } from "../../classifier/index.ts";
import type { Prediction } from "../prediction.ts";
import { fitCalibration } from "./fit.ts";
import { isotonicKnots } from "./isotonic.ts";

interface Reference {
  readonly binary: readonly (Readonly<Record<CalibrationMethod, readonly number[]>> & {
    readonly title: string;
    readonly labels: readonly number[];
    readonly scores: readonly number[];
    readonly grid: readonly number[];
  })[];
  readonly several: {
    readonly labels: readonly number[];
    readonly probabilities: readonly (readonly number[])[];
    readonly temperature: number;
    readonly calibrated: readonly (readonly number[])[];
  };
}

const REFERENCE = referenceOf<Reference>("calibrations");
const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;
const REVERSED = { kind: "classes", classes: ["ILL", "WELL"], positive: 0 } as const;
const THREE = { kind: "classes", classes: ["A", "B", "C"], positive: null } as const;

/** The optimizers of the other packages stop at 1e-5 or so of their weights. */
const TOLERANCE: Readonly<Record<CalibrationMethod, number>> = {
  temperature: 1e-6,
  platt: 1e-4,
  beta: 1e-4,
  // Its knots are of single precision.
  isotonic: 1e-6,
};

const predictionOf = (label: number, score: number): Prediction => ({
  target: label === 1 ? [0, 1] : [1, 0],
  probabilities: [1 - score, score],
});

const METHODS = ["temperature", "platt", "beta", "isotonic"] as const;
const CASES = REFERENCE.binary.flatMap((entry) =>
  METHODS.map((method) => [method, entry.title, entry] as const),
);

describe("fitCalibration", () => {
  it.each(CASES)("agrees with the other package: %s, %s", (method, _, entry) => {
    const predictions = entry.labels.map((label, film) => predictionOf(label, entry.scores[film]!));
    const calibration = fitCalibration(predictions, TWO, method);
    entry.grid.forEach((score, place) => {
      const [rest, p] = calibrateProbabilities(calibration, [1 - score, score]);
      const away = Math.abs(p! - entry[method][place]!);
      expect(away, `${p} at ${score}`).toBeLessThan(TOLERANCE[method]);
      expect(rest! + p!).toBeCloseTo(1, 14);
    });
  });

  it("calibrates the positive class wherever it stands", () => {
    const [entry] = REFERENCE.binary;
    const turned = entry!.labels.map((label, film): Prediction => {
      const { target, probabilities } = predictionOf(label, entry!.scores[film]!);
      return { target: target.toReversed(), probabilities: Array.from(probabilities).toReversed() };
    });
    const calibration = fitCalibration(turned, REVERSED, "platt");
    const [p] = calibrateProbabilities(calibration, [0.25, 0.75]);
    expect(p).toBeCloseTo(entry!.platt[entry!.grid.indexOf(0.25)]!, 4);
  });

  it("divides the logits of several classes by SciPy's temperature", () => {
    const { labels, probabilities, temperature, calibrated } = REFERENCE.several;
    const predictions = labels.map((label, film) => ({
      target: [0, 1, 2].map((k) => (k === label ? 1 : 0) as 0 | 1),
      probabilities: probabilities[film]!,
    }));
    const calibration = fitCalibration(predictions, THREE, "temperature");
    expect(calibration).toEqual({
      method: "temperature",
      temperature: expect.closeTo(temperature, 6),
    });
    for (const [film, wanted] of calibrated.entries())
      expect(calibrateProbabilities(calibration, probabilities[film]!)).toEqual(
        wanted.map((p) => expect.closeTo(p, 6)),
      );
    expect(thrownBy(() => fitCalibration(predictions, THREE, "beta"))).toMatchObject({
      code: "calibration-impossible",
      message: expect.stringContaining("take temperature"),
    });
  });

  it("calibrates each finding by the films of which it is known, and leaves one that is always there", () => {
    const [entry] = REFERENCE.binary;
    const films = entry!.labels.map((label, film) => ({
      target: [label as 0 | 1, 1, film % 2 === 0 ? null : (label as 0 | 1)] as const,
      probabilities: [entry!.scores[film]!, 0.7, entry!.scores[film]!],
    }));
    const task = { kind: "findings", findings: ["Mass", "Edema", "Nodule"] } as const;
    const calibration = fitCalibration(films, task, "platt");
    const [mass, edema, nodule] = calibrateProbabilities(calibration, [0.25, 0.25, 0.25]);
    expect(mass).toBeCloseTo(entry!.platt[entry!.grid.indexOf(0.25)]!, 4);
    expect(edema).toBe(0.25);
    expect(nodule).not.toBeCloseTo(mass!, 4);
  });

  it("refuses one class, and a method that it does not know", () => {
    const one = [predictionOf(1, 0.2), predictionOf(1, 0.8)];
    expect(thrownBy(() => fitCalibration(one, TWO, "platt"))).toMatchObject({
      code: "calibration-impossible",
      details: { present: ["PNEUMONIA"] },
    });
    expect(thrownBy(() => fitCalibration(one, TWO, "plat" as "platt"))).toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining('Did you mean "platt"?'),
    });
  });

  it.each(METHODS)("stays finite on separable and on constant scores: %s", (method) => {
    const separable = [0, 0, 1, 1].map((label, i) => predictionOf(label, [0, 0.2, 0.9, 1][i]!));
    const constant = [0, 1, 1, 1].map((label) => predictionOf(label, 0.5));
    for (const predictions of [separable, constant]) {
      const calibration = fitCalibration(predictions, TWO, method);
      for (const score of [0, 0.3, 0.5, 1]) {
        const [, p] = calibrateProbabilities(calibration, [1 - score, score]);
        expect(p! >= 0 && p! <= 1, `${p} at ${score}`).toBe(true);
      }
    }
  });
});

describe("isotonicKnots", () => {
  it("pools what falls, and joins what rises", () => {
    expect(isotonicKnots([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])).toEqual([
      [0.1, 0],
      [0.2, 0.5],
      [0.3, 0.5],
      [0.4, 1],
    ]);
  });
});
