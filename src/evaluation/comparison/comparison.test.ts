import { describe, expect, it } from "vitest";
import { referenceOf } from "../../../test/support/evaluation-reference.ts";
import { thrownBy } from "../../../test/support/rejection.ts";
import { randomStream } from "../../random.ts";
import { type ComparedModel, compareModels } from "./compare.ts";
import { delongTest } from "./delong-test.ts";
import { holm } from "./holm.ts";
import { mcnemar, mcnemarOf } from "./mcnemar.ts";

interface Reference {
  readonly mcnemar: readonly [number, number, number, number, number][];
  readonly holm: readonly { values: readonly number[]; corrected: readonly number[] }[];
}

interface Ovarian {
  readonly labels: readonly number[];
  readonly tests: Readonly<Record<string, readonly number[]>>;
  readonly pairs: readonly (Record<"a" | "b", string> &
    Record<"difference" | "low" | "high" | "p", number>)[];
}

const REFERENCE = referenceOf<Reference>("decisions");
const { ovarian } = referenceOf<{ ovarian: Ovarian }>("intervals");
const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;

describe("mcnemar", () => {
  it.each(REFERENCE.mcnemar)("agrees with statsmodels and SciPy: %d against %d", (b, c, ...ps) => {
    const { exactP, midP, chiSquaredP } = mcnemar(b, c);
    for (const [index, p] of [exactP, midP, chiSquaredP].entries())
      expect(Math.abs(p - ps[index]!) / ps[index]!).toBeLessThan(1e-9);
  });

  it("finds nothing between models that read alike", () => {
    expect(mcnemarOf([1, 0, 1], [1, 0, 1])).toEqual({
      ...{ onlyFirst: 0, onlySecond: 0 },
      ...{ exactP: 1, midP: 1, chiSquaredP: 1 },
    });
  });

  it("counts what only one of them reads rightly", () => {
    expect(mcnemarOf([1, 0, 1, 1], [1, 1, 0, 0])).toMatchObject({ onlyFirst: 2, onlySecond: 1 });
  });
});

describe("holm", () => {
  it.each(REFERENCE.holm)("agrees with statsmodels: $values", ({ values, corrected }) => {
    expect(holm(values)).toEqual(corrected.map((p) => expect.closeTo(p, 13)));
  });
});

describe("delongTest", () => {
  it.each(ovarian.pairs)("agrees with the paper's definition on its data: $a, $b", (wanted) => {
    const { difference, low, high, p } = delongTest(
      ovarian.labels,
      ovarian.tests[wanted.a]!,
      ovarian.tests[wanted.b]!,
    )!;
    expect(difference).toBeCloseTo(wanted.difference, 12);
    expect([low, high, p]).toEqual([
      expect.closeTo(wanted.low, 12),
      expect.closeTo(wanted.high, 12),
      expect.closeTo(wanted.p, 12),
    ]);
  });

  it("finds no difference between equal ranks, and has nothing to say of one class", () => {
    const labels = [1, 1, 0, 0, 1, 0];
    const scores = [0.9, 0.4, 0.3, 0.6, 0.7, 0.1];
    const squares = scores.map((score) => score ** 2);
    expect(delongTest(labels, scores, squares)).toEqual({ difference: 0, low: 0, high: 0, p: 1 });
    expect(delongTest([1, 1, 1], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1])).toBeNull();
  });
});

/** Models that know the label ever less. */
function models(count: number, noises: readonly number[], repeat = 1): ComparedModel[] {
  return noises.map((noise, index) => {
    const random = randomStream(3, index);
    const predictions = Array.from({ length: count }, (_, film) => {
      const score = 1 / (1 + Math.exp(-((film % 2) * 2 - 1 + noise * random.normal())));
      return {
        target: film % 2 === 1 ? ([0, 1] as const) : ([1, 0] as const),
        probabilities: [1 - score, score],
      };
    }).flatMap((prediction) => new Array<typeof prediction>(repeat).fill(prediction));
    return { name: `noise ${noise}`, predictions };
  });
}

describe("compareModels", () => {
  it("tests every pair, corrected over the pairs", () => {
    const pairs = compareModels(models(200, [0.8, 1, 4]), TWO, { rounds: 300 });
    expect(pairs.map(({ first, second }) => [first, second])).toEqual([
      ["noise 0.8", "noise 1"],
      ["noise 0.8", "noise 4"],
      ["noise 1", "noise 4"],
    ]);
    for (const { tests } of pairs)
      expect(tests.map(({ metric, method }) => [metric, method])).toEqual([
        ["auroc", "delong"],
        ["accuracy", "mcnemar-mid-p"],
      ]);
    const ps = pairs.map(({ tests }) => tests[0]!.p);
    expect(pairs.map(({ tests }) => tests[0]!.correctedP)).toEqual(holm(ps));
    const { auroc } = pairs[1]!.differences;
    expect(auroc).toMatchObject({ method: "bootstrap", p: 2 / 301 });
    expect(auroc!.low).toBeGreaterThan(0);
    expect(ps[1]).toBeLessThan(0.001);
  });

  it("draws the same patients for both models", () => {
    const [first] = models(100, [1]);
    const alike = { name: "again", predictions: first!.predictions };
    const [{ differences, tests }] = compareModels([first!, alike], TWO, { rounds: 200 }) as [
      never,
    ];
    expect(differences).toMatchObject({ f1: { value: 0, p: 1, low: null } });
    expect(tests).toMatchObject([{ p: 1 }, { p: 1 }]);
  });

  it("takes the bootstrap where patients have several films", () => {
    const patients = Array.from({ length: 300 }, (_, film) => `patient ${Math.floor(film / 3)}`);
    const [alone] = compareModels(models(100, [1, 1.5]), TWO, { rounds: 300 });
    const [grouped] = compareModels(models(100, [1, 1.5], 3), TWO, { rounds: 300, patients });
    expect(grouped!.tests.map(({ method }) => method)).toEqual([
      "cluster-bootstrap",
      "cluster-bootstrap",
    ]);
    const wanted = alone!.differences.auroc!;
    const { low, high, method } = grouped!.differences.auroc!;
    expect(method).toBe("cluster-bootstrap");
    expect([low, high]).toEqual([
      expect.closeTo(wanted.low!, 12),
      expect.closeTo(wanted.high!, 12),
    ]);
  });

  it("refuses predictions of other films", () => {
    const [first, second] = [models(10, [1])[0]!, models(12, [1])[0]!];
    expect(thrownBy(() => compareModels([first, second], TWO))).toMatchObject({
      code: "predictions-differ",
    });
    const turned = { ...first, predictions: first.predictions.toReversed() };
    expect(thrownBy(() => compareModels([first, turned], TWO))).toMatchObject({
      code: "predictions-differ",
    });
  });
});
