import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { thrownBy } from "../../../test/support/rejection.ts";
import { chooseOperatingPoint } from "./choose.ts";
import { decisionCurve } from "./decision-curve.ts";
import { predictiveValuesAt } from "./predictive-values.ts";
import { confidenceAt, riskCoverage, uncertainBand } from "./risk-coverage.ts";

interface Reference {
  readonly decision: readonly {
    readonly labels: readonly number[];
    readonly scores: readonly number[];
    readonly prevalence: number | null;
    readonly thresholds: readonly number[];
    readonly model: readonly number[];
    readonly all: readonly number[];
  }[];
  readonly selective: {
    readonly errors: readonly number[];
    readonly confidences: readonly number[];
    readonly area: number;
    readonly riskOfAll: number;
  };
  readonly predictive: readonly {
    readonly counts: readonly [number, number, number, number];
    readonly prevalence: number;
    readonly ppv: readonly number[];
    readonly npv: readonly number[];
  }[];
}

const REFERENCE = referenceOf<Reference>("decisions");

const bothClasses = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 25 })), {
    minLength: 2,
    maxLength: 40,
  })
  .filter((films) => new Set(films.map(([label]) => label)).size === 2)
  .map((films) => ({
    labels: films.map(([label]) => label),
    scores: films.map(([, score]) => score / 25),
  }));

type Films = { readonly labels: readonly number[]; readonly scores: readonly number[] };

function ratesAt({ labels, scores }: Films, threshold: number) {
  const share = (wanted: number, isRight: (score: number) => boolean) => {
    const group = scores.filter((_, film) => labels[film] === wanted);
    return group.filter(isRight).length / group.length;
  };
  return {
    sensitivity: share(1, (score) => score >= threshold),
    specificity: share(0, (score) => score < threshold),
  };
}

describe("chooseOperatingPoint", () => {
  const target = 0.8;

  it("keeps the sensitivity that is asked for, at the largest specificity that any score allows", () => {
    fc.assert(
      fc.property(bothClasses, (films) => {
        const rule = { kind: "sensitivity", target } as const;
        const { threshold, ...said } = chooseOperatingPoint(films.labels, films.scores, rule)!;
        const rates = ratesAt(films, threshold);
        expect(said).toMatchObject(rates);
        expect(rates.sensitivity).toBeGreaterThanOrEqual(target);
        for (const score of films.scores) {
          const other = ratesAt(films, score);
          if (other.sensitivity >= target)
            expect(other.specificity).toBeLessThanOrEqual(rates.specificity);
        }
      }),
    );
  });

  it("keeps the specificity that is asked for, calling nothing positive where it must", () => {
    fc.assert(
      fc.property(bothClasses, (films) => {
        const rule = { kind: "specificity", target } as const;
        const { threshold, ...said } = chooseOperatingPoint(films.labels, films.scores, rule)!;
        if (threshold < 1) expect(said).toMatchObject(ratesAt(films, threshold));
        expect(said.specificity).toBeGreaterThanOrEqual(target);
        for (const score of films.scores) {
          const other = ratesAt(films, score);
          if (other.specificity >= target)
            expect(other.sensitivity).toBeLessThanOrEqual(said.sensitivity);
        }
      }),
    );
  });

  it("costs the least that any score costs", () => {
    fc.assert(
      fc.property(bothClasses, fc.constantFrom(0.2, 1, 10), (films, ratio) => {
        const rule = { kind: "cost", ratio, prevalence: 0.1 } as const;
        const { threshold } = chooseOperatingPoint(films.labels, films.scores, rule)!;
        const costAt = (at: number) => {
          const { sensitivity, specificity } = ratesAt(films, at);
          return ratio * 0.1 * (1 - sensitivity) + 0.9 * (1 - specificity);
        };
        const least = Math.min(...films.scores.map(costAt));
        expect(costAt(threshold)).toBeCloseTo(least, 12);
      }),
    );
  });

  it("says by which rule, and has none for one class", () => {
    const films = [
      [0, 1, 1, 0],
      [0.1, 0.6, 0.8, 0.3],
    ] as const;
    expect(chooseOperatingPoint(...films, { kind: "sensitivity", target: 0.98 })).toEqual({
      threshold: (0.6 + 0.3) / 2,
      rule: "largest specificity with a sensitivity of at least 0.98 on validation",
      sensitivity: 1,
      specificity: 1,
    });
    expect(chooseOperatingPoint([1, 1], [0.1, 0.2], { kind: "youden" })).toBeNull();
  });

  it.each([
    { kind: "sensitivity", target: 98 },
    { kind: "specificity", target: Number.NaN },
    { kind: "cost", ratio: 0 },
    { kind: "cost", ratio: 1, prevalence: 1 },
  ] as const)("refuses %o", (rule) => {
    expect(thrownBy(() => chooseOperatingPoint([0, 1], [0.1, 0.9], rule))).toMatchObject({
      code: "invalid-option",
    });
  });
});

describe("predictiveValuesAt", () => {
  it.each(REFERENCE.predictive)("agrees with the delta method: $counts, $prevalence", (entry) => {
    const [truePositives, falseNegatives, trueNegatives, falsePositives] = entry.counts;
    const counts = { truePositives, falseNegatives, trueNegatives, falsePositives };
    const { ppv, npv } = predictiveValuesAt(counts, entry.prevalence)!;
    for (const [actual, wanted] of [
      [ppv, entry.ppv],
      [npv, entry.npv],
    ] as const)
      expect([actual.value, actual.low, actual.high]).toEqual(
        wanted.map((value) => expect.closeTo(value, 8)),
      );
  });

  it("equals the values of the films at their own prevalence", () => {
    const counts = { truePositives: 8, falseNegatives: 2, trueNegatives: 25, falsePositives: 5 };
    const { ppv, npv } = predictiveValuesAt(counts, 10 / 40)!;
    expect([ppv.value, npv.value]).toEqual([expect.closeTo(8 / 13), expect.closeTo(25 / 27)]);
  });

  it("is not defined without both classes, and has no interval at 0 and 1", () => {
    const none = { truePositives: 4, falseNegatives: 0, trueNegatives: 0, falsePositives: 0 };
    expect(predictiveValuesAt(none, 0.1)).toBeNull();
    const { ppv } = predictiveValuesAt({ ...none, trueNegatives: 5 }, 0.1)!;
    expect(ppv).toEqual({ value: 1, low: null, high: null });
  });
});

describe("decisionCurve", () => {
  it.each(REFERENCE.decision)("agrees with dcurves at a prevalence of $prevalence", (entry) => {
    const { labels, scores, thresholds, prevalence } = entry;
    const options = { thresholds, prevalence: prevalence ?? undefined };
    const points = decisionCurve(labels, scores, options);
    expect(points.map(({ model }) => model)).toEqual(
      entry.model.map((value) => expect.closeTo(value, 12)),
    );
    expect(points.map(({ all }) => all)).toEqual(
      entry.all.map((value) => expect.closeTo(value, 12)),
    );
  });

  it("is empty for one class", () => {
    expect(decisionCurve([1, 1], [0.2, 0.3])).toEqual([]);
  });
});

describe("riskCoverage", () => {
  it("agrees with the mean over all orders of equal confidences", () => {
    const { errors, confidences, area, riskOfAll } = REFERENCE.selective;
    const curve = riskCoverage(errors, confidences);
    expect(curve.area).toBeCloseTo(area, 13);
    expect(curve.points.at(-1)).toEqual({ coverage: 1, risk: riskOfAll });
  });

  it("has no risk where no film is wrong, and no area without films", () => {
    expect(riskCoverage([0, 0], [0.3, 0.9]).area).toBe(0);
    expect(riskCoverage([], [])).toEqual({ points: [], area: null });
  });
});

describe("uncertainBand", () => {
  it("holds the films whose leaving out brings the risk down, and no more", () => {
    fc.assert(
      fc.property(bothClasses, fc.constantFrom(0.05, 0.2), (films, risk) => {
        const threshold = 0.41;
        const band = uncertainBand(films.labels, films.scores, { threshold, risk })!;
        const outside = films.scores.flatMap((score, film) =>
          score < band.low || score >= band.high ? [film] : [],
        );
        if (band.risk === null) return;
        const wrong = outside.filter(
          (film) => films.scores[film]! >= threshold !== (films.labels[film] === 1),
        );
        expect(1 - outside.length / films.scores.length).toBeCloseTo(band.share, 12);
        expect(wrong.length / outside.length).toBeCloseTo(band.risk, 12);
        expect(band.risk).toBeLessThanOrEqual(risk);
      }),
    );
  });

  it("is empty where the model errs rarely enough, and everything where nothing helps", () => {
    const films = [
      [0, 0, 1, 1],
      [0.1, 0.2, 0.8, 0.9],
    ] as const;
    expect(uncertainBand(...films, { threshold: 0.5, risk: 0.1 })).toEqual({
      ...{ low: 0.5, high: 0.5, share: 0 },
      ...{ risk: 0, riskOfAll: 0 },
    });
    expect(uncertainBand([1, 0], [0.1, 0.9], { threshold: 0.5, risk: 0.1 })).toMatchObject({
      ...{ low: 0, high: 1, share: 1 },
      ...{ risk: null, riskOfAll: 1 },
    });
  });

  it("is as confident on either side of a threshold that is not a half", () => {
    expect([confidenceAt(0.1, 0.2), confidenceAt(0.6, 0.2)]).toEqual([
      expect.closeTo(0.5),
      expect.closeTo(0.5),
    ]);
  });
});
