import { describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { bcaInterval } from "./bca.ts";
import { areaCovariance, delongInterval, placements } from "./delong.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { wilsonInterval } from "./wilson.ts";

interface BcaFixture {
  readonly title: string;
  readonly level: number;
  readonly estimate: number;
  readonly replicates: readonly number[];
  readonly jackknife: readonly number[];
  readonly low: number;
  readonly high: number;
}

interface Reference {
  readonly normal: Readonly<Record<"cdf" | "quantile", readonly [number, number][]>>;
  readonly wilson: readonly [number, number, number, number, number][];
  readonly bca: readonly BcaFixture[];
  readonly ovarian: {
    readonly labels: readonly number[];
    readonly tests: Readonly<Record<string, readonly number[]>>;
    readonly areas: Readonly<Record<string, Record<"area" | "variance" | "low" | "high", number>>>;
  };
}

const REFERENCE = referenceOf<Reference>("intervals");

describe("the normal distribution", () => {
  it("agrees with SciPy, far out in the tails too", () => {
    for (const [z, wanted] of REFERENCE.normal.cdf)
      expect(normalCdf(z) / wanted, String(z)).toBeCloseTo(1, 11);
    for (const [p, wanted] of REFERENCE.normal.quantile)
      expect(Math.abs(normalQuantile(p) - wanted), String(p)).toBeLessThan(1e-12);
  });

  it("has no quantile outside of probabilities and infinite ones at their ends", () => {
    expect([-0.1, 1.1, Number.NaN].map(normalQuantile)).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect([0, 1].map(normalQuantile)).toEqual([-Infinity, Infinity]);
    expect(normalCdf(Number.NaN)).toBeNaN();
  });
});

describe("wilsonInterval", () => {
  it.each(REFERENCE.wilson)(
    "agrees with statsmodels: %d of %d at %d",
    (part, whole, level, ...ends) => {
      const { low, high } = wilsonInterval(part, whole, level)!;
      expect(low).toBeCloseTo(ends[0], 13);
      expect(high).toBeCloseTo(ends[1], 13);
    },
  );

  it("gives the published intervals of Newcombe 1998, table I", () => {
    const shown = ([part, whole]: readonly [number, number]) => {
      const { low, high } = wilsonInterval(part, whole)!;
      return [low.toFixed(4), high.toFixed(4)];
    };
    expect(shown([81, 263])).toEqual(["0.2553", "0.3662"]);
    expect(shown([15, 148])).toEqual(["0.0624", "0.1605"]);
    expect(shown([0, 20])).toEqual(["0.0000", "0.1611"]);
    expect(shown([1, 29])).toEqual(["0.0061", "0.1718"]);
  });

  it("is not defined of nothing", () => {
    expect(wilsonInterval(0, 0)).toBeNull();
  });
});

describe("delongInterval", () => {
  const { labels, tests, areas } = REFERENCE.ovarian;

  it.each(Object.keys(tests))("agrees with the paper's definition on its data: %s", (name) => {
    const placed = placements(labels, tests[name]!)!;
    const wanted = areas[name]!;
    expect(placed.area).toBeCloseTo(wanted.area, 13);
    expect(areaCovariance(placed, placed)).toBeCloseTo(wanted.variance, 13);
    const { low, high } = delongInterval(labels, tests[name]!)!;
    expect([low, high]).toEqual([expect.closeTo(wanted.low, 12), expect.closeTo(wanted.high, 12)]);
  });

  it("is not defined without two films of each class, nor where they do not overlap", () => {
    expect(delongInterval([1, 1, 1], [0.1, 0.2, 0.3])).toBeNull();
    expect(delongInterval([1, 0, 0], [0.2, 0.1, 0.3])).toBeNull();
    expect(delongInterval([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.2])).toBeNull();
  });

  it("stays within 0 and 1", () => {
    const { low, high } = delongInterval([1, 1, 1, 0, 0, 0], [0.9, 0.8, 0.3, 0.1, 0.2, 0.4])!;
    expect([low >= 0, high]).toEqual([true, 1]);
  });
});

describe("bcaInterval", () => {
  it.each(REFERENCE.bca.map((entry) => [entry.title, entry] as const))(
    "agrees with SciPy: %s",
    (_, { estimate, replicates, jackknife, level, low, high }) => {
      const interval = bcaInterval(estimate, Float64Array.from(replicates), jackknife, level)!;
      expect(interval.low).toBeCloseTo(low, 12);
      expect(interval.high).toBeCloseTo(high, 12);
    },
  );

  it("is not defined where all rounds lie on one side of the estimate", () => {
    expect(bcaInterval(0, Float64Array.of(1, 2, 3), [1, 2, 3])).toBeNull();
  });
});
