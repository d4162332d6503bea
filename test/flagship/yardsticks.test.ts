/** What `npm run yardsticks` says of predictions, by counting; the way to them is in the slow test. */
import { describe, expect, it } from "vitest";
import type { HeldOut } from "../../scripts/flagship/held-out.ts";
import { yardstickMarkdown, yardstickRows } from "../../scripts/flagship/yardstick-table.ts";
import { BINARY } from "../support/small-classifier.ts";

/** Films of a held cluster: each a patient's, clean and in one other version, by its two probabilities. */
function heldOut(
  cluster: string,
  films: readonly { readonly label: 0 | 1; readonly clean: number; readonly other: number }[],
  threshold: number,
): HeldOut {
  const parts = ["none", "cropped"] as const;
  const each = <T>(of: (film: (typeof films)[number], index: number, part: string) => T) =>
    parts.flatMap((part) => films.map((film, index) => of(film, index, part)));
  return {
    plain: {
      task: BINARY,
      keys: each((_, index, part) => `${cluster}${index} ${part}`),
      patients: each((_, index) => `${cluster}${index}`),
      predictions: each(({ label, clean, other }, _, part) => {
        const p = part === "none" ? clean : other;
        return { target: label === 1 ? [0, 1] : [1, 0], probabilities: [1 - p, p] };
      }),
      columns: { corruption: each((_, __, part) => part) },
    },
    calibration: {
      method: "platt",
      positive: 1,
      map: { kind: "logistic", slope: 1, intercept: 0 },
    },
    threshold,
  };
}

const film = (label: 0 | 1, clean: number, other = clean) => ({ label, clean, other });
const held = {
  // Normals at 0.6 are right by the first cluster's threshold and wrong by 0.5.
  shipped: [
    heldOut("a", [film(0, 0.6, 0.8), film(0, 0.1), film(1, 0.9), film(1, 0.75)], 0.7),
    heldOut("b", [film(0, 0.1), film(0, 0.25), film(1, 0.35, 0.2), film(1, 0.8)], 0.3),
  ],
  light: [
    heldOut("a", [film(0, 0.6, 0.8), film(0, 0.8), film(1, 0.9), film(1, 0.6)], 0.7),
    heldOut("b", [film(0, 0.1), film(0, 0.25), film(1, 0.35, 0.2), film(1, 0.8)], 0.3),
  ],
};
const rows = yardstickRows(held, "shipped", { rounds: 200 });
const row = (recipe: string, pool: string) =>
  rows.find((one) => one.recipe === recipe && one.pool === pool)!;
const values = (of: Readonly<Record<string, { readonly value: number | null }>>) =>
  Object.fromEntries(Object.entries(of).map(([name, { value }]) => [name, value]));

describe("yardstickRows", () => {
  it("counts by each model's own threshold, and by 0.5", () => {
    expect(row("shipped", "clean")).toMatchObject({ n: 8, patients: 8 });
    expect(values(row("shipped", "clean").metrics)).toMatchObject({
      "sensitivity at 0.5": 3 / 4,
      "specificity at 0.5": 3 / 4,
      "sensitivity at the fitted threshold": 1,
      "specificity at the fitted threshold": 1,
    });
  });

  it("pools the films with their other versions, a patient's together", () => {
    expect(row("shipped", "pooled")).toMatchObject({ n: 16, patients: 8 });
    expect(values(row("shipped", "pooled").metrics)).toMatchObject({
      "sensitivity at the fitted threshold": 7 / 8,
      "specificity at the fitted threshold": 7 / 8,
    });
  });

  it("says what the shipped recipe has above another, with an interval about it", () => {
    expect(row("shipped", "clean").gain).toBeUndefined();
    const gain = row("light", "clean").gain!;
    expect(values(gain)).toMatchObject({
      "sensitivity at the fitted threshold": 1 / 4,
      "specificity at the fitted threshold": 1 / 4,
      "sensitivity at 0.5": 0,
      "specificity at 0.5": 1 / 4,
    });
    const { low, high, method } = row("light", "pooled").gain![
      "specificity at the fitted threshold"
    ]!;
    expect(low).toBeLessThanOrEqual(1 / 4);
    expect(high).toBeGreaterThanOrEqual(1 / 4);
    expect(method).toMatch(/^cluster-bootstrap/);
  });

  it("is a table with what the shipped recipe gains below each other one", () => {
    const lines = yardstickMarkdown(rows).split("\n");
    expect(lines).toHaveLength(2 + 6);
    expect(lines.filter((line) => line.startsWith("| shipped less light"))).toHaveLength(2);
    expect(lines[3]).toMatch(/^\| light, clean .*0\.750/);
    for (const line of lines) expect(line.split(" | ")).toHaveLength(6);
  });
});
