import { describe, expect, it } from "vitest";
import type { Sample, Task } from "../datasets/index.ts";
import { labelsForLoss } from "./labels.ts";

const BINARY: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const THREE: Task = { kind: "classes", classes: ["A", "B", "C"], positive: null };
const FINDINGS: Task = { kind: "findings", findings: ["Effusion", "Mass"] };

const samplesOf = (...targets: (0 | 1 | null)[][]): Sample[] =>
  targets.map((target, index) => ({
    key: `${index}.png`,
    path: `/${index}.png`,
    split: null,
    target,
    patient: `${index}`,
    columns: {},
  }));

describe("labelsForLoss", () => {
  it("gives two classes one logit, the positive one's", () => {
    const samples = samplesOf([1, 0], [0, 1]);
    const labels = labelsForLoss(samples, BINARY, { isBalanced: false });
    expect(labels.width).toBe(1);
    expect([...labels.targets]).toEqual([0, 1]);
    expect([...labels.weights]).toEqual([1, 1]);
    const other = labelsForLoss(samples, { ...BINARY, positive: 0 }, { isBalanced: false });
    expect([...other.targets]).toEqual([1, 0]);
  });

  it("masks unknown findings", () => {
    const samples = samplesOf([1, null], [0, 1]);
    const labels = labelsForLoss(samples, FINDINGS, { isBalanced: false });
    expect([...labels.targets]).toEqual([1, 0, 0, 1]);
    expect([...labels.weights]).toEqual([1, 0, 1, 1]);
  });

  it("weighs both classes equally with a mean of 1 when balanced", () => {
    const samples = samplesOf([1, 0], [1, 0], [1, 0], [0, 1]);
    const { weights } = labelsForLoss(samples, BINARY, { isBalanced: true });
    expect([...weights]).toEqual([2 / 3, 2 / 3, 2 / 3, 2].map(Math.fround));
  });

  it("weighs a sample of several classes by its class, on every logit", () => {
    const samples = samplesOf([1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]);
    const { weights, width } = labelsForLoss(samples, THREE, { isBalanced: true });
    expect(width).toBe(3);
    expect([...weights.subarray(0, 3)]).toEqual([1, 1, 1]);
    expect(weights[6]).toBeCloseTo(2 / 3, 6);
    expect([...weights.subarray(15)]).toEqual([2, 2, 2]);
  });

  it("balances each finding among its known labels", () => {
    const samples = samplesOf([1, null], [0, 1], [0, 0], [0, null]);
    const { weights } = labelsForLoss(samples, FINDINGS, { isBalanced: true });
    const column = (logit: number) => [...weights].filter((_, place) => place % 2 === logit);
    expect(column(0)).toEqual([2, 2 / 3, 2 / 3, 2 / 3].map(Math.fround));
    expect(column(1)).toEqual([0, 1, 1, 0]);
  });
});
