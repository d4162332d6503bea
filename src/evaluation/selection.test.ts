import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { BINARY_METRICS } from "./binary.ts";
import { isBetter, selectionDirection, youdenThreshold } from "./selection.ts";

interface Fixture {
  readonly title: string;
  readonly labels: readonly (0 | 1)[];
  readonly scores: readonly number[];
  readonly youden: { readonly index: number; readonly score: number } | null;
}

const url = new URL("../../test/reference/evaluation/binary.json", import.meta.url);
const FIXTURES = JSON.parse(readFileSync(url, "utf8")) as Fixture[];
const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;

const chosenFor = (labels: readonly number[], scores: readonly number[]): number | null =>
  youdenThreshold(
    labels.map((label, i) => ({
      target: [label === 1 ? 0 : 1, label === 1 ? 1 : 0] as const,
      probabilities: [1 - scores[i]!, scores[i]!],
    })),
    TWO,
  );

/** Sensitivity + specificity - 1 where a score at or above the threshold is positive. */
function indexAt(labels: readonly number[], scores: readonly number[], threshold: number): number {
  const rate = (wanted: number) => {
    const group = scores.filter((_, i) => labels[i] === wanted);
    return group.filter((score) => score >= threshold).length / group.length;
  };
  return rate(1) - rate(0);
}

describe("youdenThreshold", () => {
  it.each(FIXTURES.map((entry) => [entry.title, entry] as const))(
    "agrees with scikit-learn's ROC curve: %s",
    (_, { labels, scores, youden }) => {
      const chosen = chosenFor(labels, scores);
      if (youden === null || chosen === null) {
        expect(chosen).toBe(youden);
        return;
      }
      const lower = Math.max(...scores.filter((score) => score < youden.score));
      const middle = (youden.score + lower) / 2;
      expect(chosen).toBeCloseTo(Number.isFinite(middle) ? middle : youden.score, 14);
      expect(indexAt(labels, scores, chosen)).toBeCloseTo(youden.index, 12);
    },
  );

  it("reaches the largest index that any threshold at a score reaches", () => {
    const films = fc.array(
      fc.tuple(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      { minLength: 2, maxLength: 40 },
    );
    fc.assert(
      fc.property(films, (drawn) => {
        const labels = drawn.map(([label]) => label);
        const scores = drawn.map(([, score]) => score);
        const chosen = chosenFor(labels, scores);
        expect(chosen === null).toBe(new Set(labels).size < 2);
        if (chosen === null) return;
        const best = Math.max(...scores.map((score) => indexAt(labels, scores, score)));
        expect(indexAt(labels, scores, chosen)).toBeCloseTo(best, 12);
      }),
    );
  });

  it("chooses between neighbours that leave no room between them", () => {
    const next = 0.5 + Number.EPSILON / 2;
    expect(indexAt([0, 1], [0.5, next], chosenFor([0, 1], [0.5, next])!)).toBe(1);
  });

  it("chooses nothing where there is no single positive class", () => {
    const prediction = { target: [0, 1, 0] as const, probabilities: [0.1, 0.8, 0.1] };
    const classes = ["A", "B", "C"];
    expect(youdenThreshold([prediction], { kind: "classes", classes, positive: null })).toBeNull();
    expect(youdenThreshold([prediction], { kind: "findings", findings: classes })).toBeNull();
  });
});

describe("selectionDirection", () => {
  it("tells which way each metric is better", () => {
    const lower = BINARY_METRICS.map(({ key }) => key).filter(
      (key) => selectionDirection(key) === "lower",
    );
    expect(lower).toEqual(["logLoss", "brier", "ece", "adaptiveEce"]);
    expect([selectionDirection("aurocMacro"), selectionDirection("f1Macro")]).toEqual([
      "higher",
      "higher",
    ]);
  });

  it("names the nearest metric where there is none of that name", () => {
    expect(thrownBy(() => selectionDirection("aurco"))).toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining('Did you mean "auroc"?'),
    });
  });
});

describe("isBetter", () => {
  it("asks for more, or for less, and takes the first value whatever it is", () => {
    expect(isBetter(0.6, 0.5, "higher")).toBe(true);
    expect(isBetter(0.5, 0.5, "higher")).toBe(false);
    expect(isBetter(0.4, 0.5, "lower")).toBe(true);
    expect(isBetter(0.5, 0.5, "lower")).toBe(false);
    expect(isBetter(0, null, "higher")).toBe(true);
  });

  it("never takes NaN", () => {
    expect(isBetter(Number.NaN, null, "higher")).toBe(false);
    expect(isBetter(Number.NaN, 0.5, "lower")).toBe(false);
  });
});
