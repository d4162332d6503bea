import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { randomStream } from "../random.ts";
import { BINARY_METRICS, decide } from "./binary.ts";
import { binarySummaries, binarySummary } from "./binary-summary.ts";
import { evaluatePredictions } from "./evaluation.ts";
import type { IntervalMethod } from "./metric-values.ts";
import type { Prediction } from "./prediction.ts";

const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;
const THREE = { kind: "classes", classes: ["A", "B", "C"], positive: null } as const;

function predictionOf(label: number, score: number): Prediction {
  return { target: label === 1 ? [0, 1] : [1, 0], probabilities: [1 - score, score] };
}

/** Scores of two overlapping classes. */
function drawn(count: number, seed: number): Prediction[] {
  const random = randomStream(seed, "films");
  return Array.from({ length: count }, (_, i) =>
    predictionOf(
      i % 3 === 0 ? 1 : 0,
      1 / (1 + Math.exp(-(random.normal() + (i % 3 === 0 ? 1 : -1)))),
    ),
  );
}

const filmsWithWeights = fc
  .array(
    fc.tuple(
      fc.constantFrom(0, 1),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 4 }),
    ),
    { minLength: 1, maxLength: 50 },
  )
  .filter((films) => films.some(([, , weight]) => weight > 0));

describe("binarySummaries", () => {
  it("counts a film of weight w as w films", () => {
    fc.assert(
      fc.property(filmsWithWeights, (films) => {
        const of = (list: typeof films) =>
          decide({
            labels: list.map(([label]) => label),
            scores: list.map(([, score]) => score / 30),
            threshold: 0.5,
          });
        const repeated = films.flatMap((film) => new Array<typeof film>(film[2]).fill(film));
        const wanted = binarySummary(of(repeated));
        const weights = Uint32Array.from(films, ([, , weight]) => weight);
        const actual = binarySummaries(of(films))(weights);
        for (const { key, compute } of BINARY_METRICS) {
          const [a, b] = [compute(actual), compute(wanted)];
          if (a === null || b === null) expect(a, key).toBe(b);
          else expect(Math.abs(a - b), key).toBeLessThan(1e-12);
        }
      }),
    );
  });
});

describe("intervals of independent films", () => {
  const evaluation = evaluatePredictions(drawn(150, 1), TWO, { rounds: 400, seed: 3 });

  it("are Wilson's for proportions, DeLong's for the area and the bootstrap's for the rest", () => {
    const methods = Object.fromEntries(
      Object.entries(evaluation.metrics).map(([key, { method }]) => [key, method]),
    );
    const [wilson, bootstrap]: IntervalMethod[] = ["wilson", "bootstrap"];
    expect(methods).toMatchObject({
      ...{ accuracy: wilson, sensitivity: wilson, specificity: wilson, ppv: wilson, npv: wilson },
      ...{ balancedAccuracy: bootstrap, f1: bootstrap, mcc: bootstrap, kappa: bootstrap },
      ...{ averagePrecision: bootstrap, logLoss: bootstrap, brier: bootstrap },
      ...{ ece: "bootstrap-inverted", adaptiveEce: "bootstrap-inverted" },
      auroc: "delong",
    });
    expect(evaluation).toMatchObject({
      patients: null,
      intervals: { level: 0.95, rounds: 400, seed: 3 },
    });
  });

  it("hold the value, and are wider at a higher level", () => {
    const wider = evaluatePredictions(drawn(150, 1), TWO, { rounds: 400, seed: 3, level: 0.99 });
    for (const [key, { value, low, high }] of Object.entries(evaluation.metrics)) {
      if (key.toLowerCase().endsWith("ece")) continue;
      expect([low! < value!, value! < high!], key).toEqual([true, true]);
      const { low: lower, high: higher } = wider.metrics[key]!;
      expect([lower! < low!, high! < higher!], key).toEqual([true, true]);
    }
  });

  it("are the same again from the same seed, and others from another", () => {
    const of = (seed: number) =>
      evaluatePredictions(drawn(150, 1), TWO, { rounds: 400, seed }).metrics;
    expect(of(3)).toEqual(evaluation.metrics);
    expect(of(4).f1!.low).not.toBe(evaluation.metrics.f1!.low);
    expect(of(4).f1!.low).toBeCloseTo(evaluation.metrics.f1!.low!, 1);
  });
});

describe("intervals of calibration errors", () => {
  /** The measured errors of 40 sets, by a model whose logits are `slope` times the true ones. */
  const measuredBy = (slope: number) =>
    Array.from({ length: 40 }, (_, set) => {
      const random = randomStream(set, "calibration", slope);
      const films = Array.from({ length: 300 }, () => {
        const logit = 0.5 + 2.2 * random.normal();
        const label = Number(random.uniform() < 1 / (1 + Math.exp(-logit)));
        return predictionOf(label, 1 / (1 + Math.exp(-slope * logit)));
      });
      return evaluatePredictions(films, TWO, { rounds: 100 }).metrics;
    });
  const [calibrated, tooSure] = [measuredBy(1), measuredBy(2)];
  /** The mean over a million such films of |p - P(positive)|, in 15 bins of equal width. */
  const TRUTH = 0.0882;
  const shareOf = <T>(list: readonly T[], test: (entry: T) => boolean) =>
    list.filter(test).length / list.length;

  it.each([
    ["a calibrated model", calibrated, 0],
    ["one twice too sure", tooSure, TRUTH],
  ])("hold the true error in about 95 of 100 sets of %s", (_, sets, truth) => {
    for (const key of ["ece", "adaptiveEce"])
      expect(
        shareOf(sets, ({ [key]: of }) => of!.low! <= truth && truth <= of!.high!),
        key,
      ).toBeGreaterThanOrEqual(0.88);
  });

  it("say how much of the value chance alone makes", () => {
    const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    for (const [sets, truth] of [
      [calibrated, 0],
      [tooSure, TRUTH],
    ] as const) {
      const plain = Math.abs(mean(sets.map(({ ece }) => ece!.value!)) - truth);
      const debiased = Math.abs(mean(sets.map(({ ece }) => ece!.debiased!)) - truth);
      expect(debiased).toBeLessThan(plain / 2);
    }
  });

  it("begin at 0 where films cannot tell the model from a calibrated one, and only there", () => {
    expect(shareOf(calibrated, ({ ece }) => ece!.low === 0)).toBeGreaterThan(0.9);
    expect(shareOf(tooSure, ({ ece }) => ece!.low! > 0)).toBeGreaterThan(0.7);
  });
});

describe("intervals of patients with several films", () => {
  const films = drawn(90, 2);
  const one = evaluatePredictions(films, TWO, { rounds: 300 });
  const four = evaluatePredictions(
    films.flatMap((film) => [film, film, film, film]),
    TWO,
    { rounds: 300, patients: films.flatMap((_, i) => new Array<string>(4).fill(`patient ${i}`)) },
  );

  it("draw patients: films that say the same again narrow nothing", () => {
    expect(four).toMatchObject({ n: 360, patients: 90 });
    for (const key of ["balancedAccuracy", "f1", "mcc", "averagePrecision", "logLoss", "brier"]) {
      const [alone, again] = [one.metrics[key]!, four.metrics[key]!];
      expect(again.method, key).toBe("cluster-bootstrap");
      expect(again.low, key).toBeCloseTo(alone.low!, 12);
      expect(again.high, key).toBeCloseTo(alone.high!, 12);
    }
  });

  it("take neither Wilson's nor DeLong's, which would be half as wide", () => {
    for (const key of ["accuracy", "sensitivity", "auroc"]) {
      const [alone, again] = [one.metrics[key]!, four.metrics[key]!];
      expect(again.method, key).toBe("cluster-bootstrap");
      const ratio = (again.high! - again.low!) / (alone.high! - alone.low!);
      expect(ratio, key).toBeGreaterThan(0.8);
      expect(ratio, key).toBeLessThan(1.25);
    }
  });

  it("need a patient for every film", () => {
    const options = { patients: ["a", "b"] };
    expect(thrownBy(() => evaluatePredictions(films, TWO, options))).toMatchObject({
      code: "invalid-option",
      details: { option: "patients", expected: 90, received: 2 },
    });
  });
});

describe("what is not defined", () => {
  it("says why, of data of a single class", () => {
    const { metrics } = evaluatePredictions([predictionOf(1, 0.9), predictionOf(1, 0.2)], TWO);
    const none = { value: null, low: null, high: null, method: null };
    expect(metrics.specificity).toEqual({ ...none, reason: "no image is negative" });
    expect(metrics.auroc).toEqual({ ...none, reason: "all images are of one class" });
    expect(metrics.sensitivity).toMatchObject({ value: 0.5, method: "wilson" });
  });

  it("gives three films what they can carry", () => {
    const films = [predictionOf(1, 0.9), predictionOf(0, 0.2), predictionOf(0, 0.6)];
    const { metrics } = evaluatePredictions(films, TWO);
    expect(metrics.accuracy).toMatchObject({ value: 2 / 3, method: "wilson" });
    expect(metrics.auroc).toMatchObject({ value: 1, low: null, method: null });
    expect(metrics.balancedAccuracy).toMatchObject({
      value: 0.75,
      low: null,
      reason: expect.stringMatching(
        /^too few images: only \d+ % of the bootstrap rounds define it$/,
      ),
    });
  });

  it("gives no interval where nothing varies", () => {
    const films = drawn(40, 5).map(({ target }) => predictionOf(target[1]!, target[1] ? 0.8 : 0.2));
    const { metrics } = evaluatePredictions(films, TWO, { rounds: 200 });
    expect(metrics.mcc).toMatchObject({
      value: 1,
      low: null,
      reason: "every bootstrap round gives the same value",
    });
    expect(metrics.auroc!.reason).toContain("do not overlap");
    expect(metrics.accuracy).toMatchObject({ value: 1, high: 1, method: "wilson" });
  });

  it("takes constant scores", () => {
    const films = drawn(40, 6).map(({ target }) => predictionOf(target[1]!, 0.5));
    const { metrics } = evaluatePredictions(films, TWO, { rounds: 200 });
    expect(metrics.auroc).toMatchObject({ value: 0.5, low: null, high: null });
    expect(metrics.sensitivity).toMatchObject({ value: 1, method: "wilson" });
    expect(metrics.mcc!.reason).toBe("all images are, or are called, of one class");
  });

  it("computes values without intervals for 0 rounds", () => {
    const { metrics, intervals } = evaluatePredictions(drawn(40, 7), TWO, { rounds: 0 });
    expect(intervals).toBeNull();
    for (const metric of Object.values(metrics))
      expect(metric).toEqual({ value: expect.any(Number), low: null, high: null, method: null });
  });
});

describe("several classes and findings", () => {
  const random = randomStream(8);
  const films = Array.from({ length: 120 }, (_, i): Prediction => {
    const raw = [0, 1, 2].map((k) => Math.exp(random.normal() + (k === i % 3 ? 1.5 : 0)));
    const sum = raw.reduce((a, b) => a + b, 0);
    return {
      target: [0, 1, 2].map((k) => (k === i % 3 ? 1 : 0)),
      probabilities: raw.map((value) => value / sum),
    };
  });

  it("have intervals, for the whole and for each class", () => {
    const { metrics, perClass } = evaluatePredictions(films, THREE, { rounds: 200 });
    expect(metrics.accuracy!.method).toBe("wilson");
    expect(metrics.aurocMacro!.method).toBe("bootstrap");
    expect(perClass!.B!.auroc!.method).toBe("delong");
    expect(perClass!.C!.ppv!.method).toBe("wilson");
    for (const [key, { value, low, high }] of Object.entries(metrics))
      if (!key.toLowerCase().endsWith("ece"))
        expect([low! < value!, value! < high!], key).toEqual([true, true]);
  });

  it("judge a finding by the films of which it is known", () => {
    const some = films.map(({ target, probabilities }, i) => ({
      probabilities,
      target: target.map((value, k) => (k === 2 && i % 2 === 0 ? null : value)),
    }));
    const task = { kind: "findings", findings: ["Mass", "Edema", "Nodule"] } as const;
    const { metrics, perClass } = evaluatePredictions(some, task, { rounds: 200 });
    expect(metrics.accuracy!.method).toBe("bootstrap");
    const half = perClass!.Nodule!.accuracy!;
    const all = evaluatePredictions(films, task, { rounds: 200 }).perClass!.Nodule!.accuracy!;
    expect(half.method).toBe("wilson");
    expect(half.high! - half.low!).toBeGreaterThan(1.2 * (all.high! - all.low!));
  });
});

describe("interval options", () => {
  it.each([
    ["level", { level: 1 }],
    ["level", { level: Number.NaN }],
    ["rounds", { rounds: 50 }],
    ["rounds", { rounds: 0.5 }],
    ["seed", { seed: -1 }],
  ])("refuse a wrong %s: %o", (option, options) => {
    expect(thrownBy(() => evaluatePredictions(drawn(9, 9), TWO, options))).toMatchObject({
      code: "invalid-option",
      details: { option },
    });
  });
});
