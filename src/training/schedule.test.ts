import { describe, expect, it } from "vitest";
import { SCHEDULES, type Schedule, scheduleFactor } from "./schedule.ts";

const at = (schedule: Schedule, epoch: number, rest: { warmup?: number; drops?: number } = {}) =>
  scheduleFactor(schedule, { epoch, epochs: 10, warmup: 0, drops: 0, ...rest });

/** Factors worked out by hand for 10 epochs without warm-up. */
const EXPECTED: Readonly<Record<Schedule, readonly (readonly [number, number])[]>> = {
  constant: [
    [0, 1],
    [9.99, 1],
  ],
  step: [
    [0, 1],
    [4.99, 1],
    [5, 0.1],
    [7.99, 0.1],
    [8, 0.01],
  ],
  cosine: [
    [0, 1],
    [5, 0.505],
    [10, 0.01],
  ],
  onecycle: [
    [0, 0.04],
    [1.5, 0.52],
    [3, 1],
    [6.5, 0.50005],
    [10, 1e-4],
  ],
  plateau: [
    [0, 1],
    [9, 1],
  ],
};

describe("scheduleFactor", () => {
  it.each(SCHEDULES)("of %s equals the values worked out by hand", (schedule) => {
    for (const [epoch, factor] of EXPECTED[schedule])
      expect(at(schedule, epoch)).toBeCloseTo(factor, 12);
  });

  it.each(SCHEDULES)("of %s stays above 0 and at most 1, warm-up included", (schedule) => {
    for (let epoch = 0; epoch <= 10; epoch += 0.05)
      for (const warmup of [0, 1, 50]) {
        const factor = at(schedule, epoch, { warmup });
        expect(factor).toBeGreaterThan(0);
        expect(factor).toBeLessThanOrEqual(1);
      }
  });

  it("rises in a straight line during warm-up, and a schedule begins after it", () => {
    expect(at("cosine", 0, { warmup: 2 })).toBeCloseTo(0.001, 12);
    expect(at("cosine", 1, { warmup: 2 })).toBeCloseTo(0.5005, 12);
    expect(at("cosine", 2, { warmup: 2 })).toBe(1);
    expect(at("cosine", 6, { warmup: 2 })).toBeCloseTo(0.505, 12);
  });

  it("gives no more than half of the epochs to the warm-up", () => {
    expect(at("constant", 5, { warmup: 50 })).toBe(1);
    expect(at("constant", 4.9, { warmup: 50 })).toBeLessThan(1);
  });

  it("takes a third for each drop of the plateau schedule", () => {
    expect(at("plateau", 4, { drops: 2 })).toBeCloseTo(1 / 9, 12);
    expect(at("constant", 4, { drops: 2 })).toBe(1);
  });
});
