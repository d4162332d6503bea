import { describe, expect, it } from "vitest";
import type { Verdict } from "./gate/scores.ts";
import { readingOf } from "./reading.ts";

/** Of a classifier without a gate. */
const ASSESSED = { assessed: true, reasons: [], corrections: [], warnings: [] };

const at = (threshold: number) => ({ threshold, rule: "stated" });

describe("readingOf", () => {
  const task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;

  it.each([
    [0.29, "NORMAL"],
    [0.3, "PNEUMONIA"],
    [0.31, "PNEUMONIA"],
  ])("calls a probability of %d at an operating point of 0.3 %s", (p, label) => {
    const reading = readingOf([1 - p, p], { task, operatingPoint: at(0.3) });
    expect(reading).toEqual({
      label,
      probability: p,
      probabilities: { NORMAL: 1 - p, PNEUMONIA: p },
      ...ASSESSED,
    });
  });

  it("says no label and no probability of an image that is not assessed, but keeps what was measured", () => {
    const verdict: Verdict = {
      assessed: false,
      reasons: ["not-chest-film"],
      corrections: [],
      warnings: [],
    };
    const reading = readingOf([0.1, 0.9], { task, operatingPoint: null }, verdict);
    expect(reading).toMatchObject({ assessed: false, label: null, probability: null });
    expect(reading.probabilities.PNEUMONIA).toBe(0.9);
  });

  it("takes a half where no operating point was chosen", () => {
    expect(readingOf([0.5, 0.5], { task, operatingPoint: null }).label).toBe("PNEUMONIA");
    expect(readingOf([0.51, 0.49], { task, operatingPoint: null }).label).toBe("NORMAL");
  });

  it("takes the positive class from the task, also where it stands first", () => {
    const first = { kind: "classes", classes: ["ILL", "WELL"], positive: 0 } as const;
    expect(readingOf([0.6, 0.4], { task: first, operatingPoint: at(0.5) })).toMatchObject({
      label: "ILL",
      probability: 0.6,
    });
    expect(readingOf([0.4, 0.6], { task: first, operatingPoint: at(0.5) })).toMatchObject({
      label: "WELL",
      probability: 0.4,
    });
  });

  it("goes by the largest probability where there are several classes, the first of equal ones", () => {
    const several = { kind: "classes", classes: ["A", "B", "C"], positive: null } as const;
    expect(readingOf([0.2, 0.5, 0.3], { task: several, operatingPoint: null })).toEqual({
      label: "B",
      probability: null,
      probabilities: { A: 0.2, B: 0.5, C: 0.3 },
      ...ASSESSED,
    });
    expect(readingOf([0.4, 0.2, 0.4], { task: several, operatingPoint: null }).label).toBe("A");
  });

  it("joins the findings that are present, and says when there is none", () => {
    const findings = { kind: "findings", findings: ["Effusion", "Mass", "Nodule"] } as const;
    const said = (probabilities: readonly number[], threshold: number) =>
      readingOf(probabilities, { task: findings, operatingPoint: at(threshold) });
    expect(said([0.7, 0.2, 0.6], 0.6)).toMatchObject({
      label: "Effusion|Nodule",
      probability: null,
    });
    expect(said([0.1, 0.2, 0.3], 0.6).label).toBe("No Finding");
  });
});
