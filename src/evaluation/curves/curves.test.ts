import { describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { randomStream } from "../../random.ts";
import { CALIBRATION_BINS, calibrationErrors } from "../calibration-error.ts";
import { curveBands } from "./bands.ts";
import { reliabilityBins } from "./reliability.ts";

interface Reference {
  readonly bands: {
    readonly labels: readonly number[];
    readonly scores: readonly number[];
    readonly at: readonly number[];
    readonly roc: readonly (readonly number[])[];
    readonly precisionRecall: readonly (readonly number[])[];
  };
}

const { bands } = referenceOf<Reference>("decisions");

/** Two bootstraps of 2,000 and 4,000 rounds differ by chance: precision at few films by steps of 1/33. */
const CHANCE = 0.031;

describe("curveBands", () => {
  const actual = curveBands(bands.labels, bands.scores);

  it.each(["roc", "precisionRecall"] as const)("agrees with NumPy's resamples: %s", (kind) => {
    bands.at.forEach((x, index) => {
      const point = actual[kind].find((candidate) => Math.abs(candidate.x - x) < 1e-9)!;
      const [low, high] = bands[kind][index]!;
      expect(Math.abs(point.low - low!), `low at ${x}`).toBeLessThan(CHANCE);
      expect(Math.abs(point.high - high!), `high at ${x}`).toBeLessThan(CHANCE);
    });
  });

  it("draws patients: films that say the same again narrow nothing", () => {
    const twice = <T>(values: readonly T[]) => values.flatMap((value) => [value, value]);
    const patients = twice(bands.labels.map((_, film) => `patient ${film}`));
    const options = { rounds: 200 };
    expect(curveBands(twice(bands.labels), twice(bands.scores), { ...options, patients })).toEqual(
      curveBands(bands.labels, bands.scores, options),
    );
  });

  it("joins the ends where all scores are one: nothing but the diagonal", () => {
    const { roc } = curveBands([1, 0, 1, 0, 0, 1, 1, 0], new Array(8).fill(0.5), { rounds: 100 });
    for (const { x, low, high } of roc)
      expect([low, high]).toEqual([expect.closeTo(x, 12), expect.closeTo(x, 12)]);
  });

  it("has none for one class or without rounds", () => {
    const none = { roc: [], precisionRecall: [] };
    expect(curveBands([1, 1], [0.1, 0.2])).toEqual(none);
    expect(curveBands([1, 0], [0.1, 0.2], { rounds: 0 })).toEqual(none);
  });
});

describe("reliabilityBins", () => {
  it("sums to the expected calibration error", () => {
    const random = randomStream(1);
    const scores = Array.from({ length: 300 }, () => Math.round(random.uniform() * 30) / 30);
    const labels = scores.map((score) => Number(random.uniform() < score ** 2));
    const bins = reliabilityBins(labels, scores, { bins: CALIBRATION_BINS });
    const sum = bins.reduce(
      (total, { n, observed, meanProbability }) =>
        total + (n === 0 ? 0 : n * Math.abs(observed! - meanProbability!)),
      0,
    );
    expect(sum / 300).toBeCloseTo(calibrationErrors(labels, scores).expected!, 12);
    for (const { low, observed, high } of bins.filter(({ n }) => n > 0))
      expect([low! <= observed!, observed! <= high!]).toEqual([true, true]);
  });

  it("leaves empty bins without values", () => {
    expect(reliabilityBins([1], [0.95], { bins: 2 })[0]).toEqual({
      ...{ from: 0, to: 0.5, n: 0, meanProbability: null },
      ...{ observed: null, low: null, high: null },
    });
  });
});
