import { describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { randomStream } from "../../random.ts";
import { energyDistance, kolmogorovSmirnov, populationStability } from "./distances.ts";
import { embeddingShift } from "./embeddings.ts";
import { imageStatistics, shiftBetween } from "./shift.ts";

interface Reference {
  readonly numbers: readonly (Readonly<
    Record<"statistic" | "p" | "energy" | "stability", number>
  > & {
    readonly title: string;
    readonly a: readonly number[];
    readonly b: readonly number[];
  })[];
  readonly mmd: {
    readonly a: readonly (readonly number[])[];
    readonly b: readonly (readonly number[])[];
    readonly mmd: number;
  };
}

const REFERENCE = referenceOf<Reference>("shifts");

const normals = (seed: number, count: number, centre = 0): number[] => {
  const random = randomStream(seed);
  return Array.from({ length: count }, () => centre + random.normal());
};

describe("distances of two samples", () => {
  it.each(REFERENCE.numbers)("agree with SciPy and NumPy: $title", (entry) => {
    const { a, b } = entry;
    const { statistic, p } = kolmogorovSmirnov(a, b);
    expect([statistic, p, energyDistance(a, b), populationStability(a, b)]).toEqual(
      [entry.statistic, entry.p, entry.energy, entry.stability].map((v) => expect.closeTo(v, 10)),
    );
  });

  it("are nothing between equal samples", () => {
    const films = normals(1, 50);
    expect(kolmogorovSmirnov(films, films)).toEqual({ statistic: 0, p: 1 });
    expect([energyDistance(films, films), populationStability(films, films)]).toEqual([0, 0]);
  });
});

describe("embeddingShift", () => {
  it("agrees with NumPy", () => {
    const { a, b, mmd } = REFERENCE.mmd;
    const shift = embeddingShift(a, b)!;
    expect(shift.mmd).toBeCloseTo(mmd, 12);
    expect(shift.p).toBeLessThan(0.2);
  });

  it("finds a shift where there is one and none where there is none", () => {
    const rows = (seed: number, centre: number) =>
      Array.from({ length: 60 }, (_, film) => normals(seed * 100 + film, 5, centre));
    expect(embeddingShift(rows(1, 0), rows(2, 0.7))!.p).toBeLessThan(0.01);
    expect(embeddingShift(rows(1, 0), rows(3, 0))!.p).toBeGreaterThan(0.05);
    expect(embeddingShift([[1]], rows(1, 0))).toBeNull();
  });
});

describe("shiftBetween", () => {
  const reference = { features: { score: normals(1, 300), "mean grey": normals(2, 300) } };

  it("warns plainly of what moved, and only of that", () => {
    const current = { features: { score: normals(3, 300), "mean grey": normals(4, 300, 0.8) } };
    const { features, warnings } = shiftBetween(reference, current);
    expect(features.map(({ feature }) => feature)).toEqual(["score", "mean grey"]);
    expect(warnings).toEqual([
      expect.stringMatching(/^mean grey: the evaluated films differ from the reference/),
    ]);
  });

  it("does not warn of a difference that is certain but small", () => {
    const [many, moved] = [normals(5, 20_000), normals(6, 20_000, 0.1)];
    const { features, warnings } = shiftBetween(
      { features: { score: many } },
      { features: { score: moved } },
    );
    expect(features[0]!.p).toBeLessThan(1e-6);
    expect(warnings).toEqual([]);
  });

  it("compares only what both sets know", () => {
    const current = { features: { score: normals(3, 50), aspect: [1, 2] } };
    expect(shiftBetween(reference, current).features.map(({ feature }) => feature)).toEqual([
      "score",
    ]);
  });
});

describe("imageStatistics", () => {
  it("gives mean and deviation as shares of white, and the aspect", () => {
    const film = { width: 4, height: 1, pixels: Uint8Array.of(0, 255, 0, 255) };
    expect(imageStatistics(film)).toEqual({ mean: 0.5, deviation: 0.5, aspect: 4 });
  });
});
