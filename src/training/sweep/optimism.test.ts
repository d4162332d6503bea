import { describe, expect, it } from "vitest";
import { areaUnderRoc } from "../../evaluation/index.ts";
import { randomStream } from "../../random.ts";
import { areaScore, optimismOf } from "./optimism.ts";
import type { SavedPredictions } from "./sweep-folder.ts";

const TASK = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;
const AUROC = { name: "auroc", direction: "higher" } as const;
const FILMS = 120;

/** A classifier whose score has the truth in it `skill` times as much as noise; two films a patient. */
function classifier(seed: number, skill: number): SavedPredictions {
  const random = randomStream(seed, "classifier");
  const rows = Array.from({ length: FILMS }, (_, film) => {
    const truth = film % 4 < 2 ? 1 : 0;
    const p = 1 / (1 + Math.exp(-(skill * truth + random.normal())));
    return { target: [1 - truth, truth] as (0 | 1)[], probabilities: [1 - p, p] };
  });
  return { predictions: rows, patients: rows.map((_, film) => `p${Math.floor(film / 2)}`) };
}

describe("the best of many", () => {
  it("that are all guessing looks better than it is, and the correction says so", () => {
    const guesses = Array.from({ length: 40 }, (_, seed) => classifier(seed, 0));
    const found = optimismOf(guesses, TASK, AUROC, 1)!;
    expect(found.candidates).toBe(40);
    expect(found.apparent).toBeGreaterThan(0.56);
    expect(found.corrected).toBeLessThan(found.apparent - 0.03);
    expect(found.flatters).toBeCloseTo(found.apparent - found.corrected, 12);
    expect(found.low).toBeLessThan(found.corrected);
    expect(found.high).toBeGreaterThan(found.corrected);
    expect(optimismOf(guesses, TASK, AUROC, 1)).toEqual(found);
  });

  it("is hardly flattered where one is clearly better", () => {
    const one = [classifier(1, 3), ...Array.from({ length: 20 }, (_, n) => classifier(n + 2, 0))];
    const found = optimismOf(one, TASK, AUROC, 1)!;
    expect(found.apparent).toBeGreaterThan(0.95);
    expect(Math.abs(found.flatters)).toBeLessThan(0.01);
  });

  it("works on other metrics, of which less may be better", () => {
    const guesses = Array.from({ length: 8 }, (_, seed) => classifier(seed, 0));
    const found = optimismOf(guesses, TASK, { name: "logLoss", direction: "lower" }, 1)!;
    expect(found.corrected).toBeGreaterThan(found.apparent);
    expect(found.flatters).toBeGreaterThan(0);
  });

  it("is not judged where the trials did not see the same patients", () => {
    const [a, b] = [classifier(1, 1), classifier(2, 1)];
    const other = { ...b, patients: b.patients.toReversed() };
    expect(optimismOf([a, other], TASK, AUROC, 1)).toBeUndefined();
    expect(optimismOf([], TASK, AUROC, 1)).toBeUndefined();
  });
});

it("the area on weighted films is the area on copies of them", () => {
  const { predictions } = classifier(3, 1);
  const tied = predictions.map((row) => ({
    ...row,
    probabilities: Array.from(row.probabilities, (p) => Math.round(p * 10) / 10),
  }));
  const random = randomStream(5, "weights");
  const weights = Uint32Array.from({ length: FILMS }, () => random.integer(3));
  const copies = tied.flatMap((row, film) => Array.from({ length: weights[film]! }, () => row));
  const expected = areaUnderRoc(
    copies.map(({ target }) => target[1]!),
    copies.map(({ probabilities }) => probabilities[1]!),
  );
  expect(areaScore({ predictions: tied, patients: [] }, 1)(weights)).toBeCloseTo(expected!, 12);
});
