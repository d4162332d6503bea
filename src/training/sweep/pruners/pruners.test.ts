import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { referencePath } from "../../../../test/support/reference-file.ts";
import type { Observation } from "../trial.ts";
import { bracketBudgets, bracketOf } from "./hyperband.ts";
import { PRUNERS, type PrunerName } from "./index.ts";

type Rows = readonly { readonly values: readonly number[]; readonly stopped: number | null }[];

/** From Optuna 5.0.0; see make.py beside it. */
const REFERENCE = JSON.parse(readFileSync(referencePath("sweep/sweep.json"), "utf8")) as Readonly<
  Record<"asha" | "median", Rows>
>;

const STEPS = 27;

/** Trials one after another, as they would report: after which step each is stopped. */
function stops(pruner: PrunerName, rows: Rows): (number | null)[] {
  const trials: Observation[] = [];
  return rows.map(({ values }, number) => {
    const reportsTo = (step: number) =>
      values.slice(0, step).map((loss, index) => ({ step: index + 1, loss }));
    const at = (step: number, state: Observation["state"]): Observation => ({
      number,
      state,
      params: {},
      losses: state === "complete" ? [values[step - 1]!] : [],
      reports: reportsTo(step),
    });
    for (let step = 1; step <= values.length; step++)
      if (PRUNERS[pruner](at(step, "running"), trials, { steps: STEPS, seed: 1 })) {
        trials.push(at(step, "pruned"));
        return step;
      }
    trials.push(at(values.length, "complete"));
    return null;
  });
}

describe.each(["asha", "median"] as const)("the pruner %s", (pruner) => {
  it("stops the trials that Optuna stops, after the same step", () => {
    const expected = REFERENCE[pruner].map(({ stopped }) => stopped);
    expect(new Set(expected).size).toBeGreaterThan(2);
    expect(stops(pruner, REFERENCE[pruner])).toEqual(expected);
  });
});

describe("the median pruner", () => {
  const trialOf = (number: number, loss: number): Observation => ({
    number,
    state: "complete",
    params: {},
    losses: [loss],
    reports: [{ step: 1, loss }],
  });
  const before = [1, 2, 3, 4, 5].map((loss, number) => trialOf(number, loss));
  const isStopped = (loss: number) =>
    PRUNERS.median({ ...trialOf(5, loss), state: "running" }, before);

  it("spares a trial that stands at the median, and stops one just behind it", () => {
    expect([isStopped(3), isStopped(3.001)]).toEqual([false, true]);
  });
});

describe("Hyperband", () => {
  it("shares trials among brackets as its budgets say", () => {
    // Source: Optuna 5.0.0, HyperbandPruner(1, 27, 3)._calculate_trial_allocation_budget.
    expect(bracketBudgets(27)).toEqual([27, 12, 6, 4]);
    expect(bracketBudgets(9)).toEqual([9, 5, 3]);
    expect(bracketBudgets(1)).toEqual([1]);
    const counts = [0, 0, 0, 0];
    for (let number = 0; number < 4900; number++) counts[bracketOf(number, 27, 1)]!++;
    for (const [bracket, budget] of [27, 12, 6, 4].entries())
      expect(Math.abs(counts[bracket]! - 100 * budget)).toBeLessThan(4 * Math.sqrt(100 * budget));
  });

  it("spares the last bracket, and halves the first as ASHA does among its own", () => {
    const found = stops("hyperband", REFERENCE.asha);
    for (const [number, stopped] of found.entries()) {
      const first = 3 ** bracketOf(number, STEPS, 1);
      if (stopped !== null) expect(stopped).toBeGreaterThanOrEqual(first);
    }
    expect(found.filter((stopped) => stopped === 1).length).toBeGreaterThan(5);
    expect(found.filter((stopped) => stopped === null).length).toBeGreaterThan(2);
  });
});

it.each(Object.keys(PRUNERS) as PrunerName[])("%s stops nothing that has not reported", (name) => {
  const trial: Observation = { number: 0, state: "running", params: {}, losses: [], reports: [] };
  expect(PRUNERS[name](trial, [], { steps: 9, seed: 1 })).toBe(false);
});
