import { describe, expect, it } from "vitest";
import { GATE_SCORES } from "../../classifier/index.ts";
import { limitsFrom } from "./limits.ts";
import { outOfSample } from "./out-of-sample.ts";
import type { Scored } from "./scored.ts";

/** A film that nothing is wrong with, but for what is said. */
function film(patient: string, said: Readonly<Record<string, number>> = {}): Scored {
  const sound = { side: 160, aspect: 1, contrast: 40, brightest: 200, darkest: 20, black: 0.1 };
  const heads = { white: 0.01, chest: 5, upright: 5, whole: 5, inversion: -5, distance: 1 };
  const values: Record<string, number> = { ...sound, ...heads, ...said };
  return { patient, values, ordered: GATE_SCORES.map(({ name }) => values[name]!) };
}

const sound = Array.from({ length: 300 }, (_, index) => film(`sound ${index >> 1}`));
const ratesOf = (plain: readonly Scored[]) =>
  outOfSample({ plain, varied: plain, negatives: plain.map(negative) }, 1);
const negative = ({ patient }: Scored) => film(patient, { inversion: 5 });

describe("outOfSample", () => {
  it("judges a patient's films by limits that none of them had a part in", () => {
    const flat = [film("flat", { contrast: 10 }), film("flat", { contrast: 11 })];
    const films = [...sound, ...flat];
    // By limits set on all, half of what the flattest has is enough.
    expect(limitsFrom(films, films).contrast).toBe(5);
    const { rates, patients } = ratesOf(films);
    expect(rates["rejected, as they are"]).toMatchObject({ count: 2, n: 302 });
    expect(patients).toBe(151);
  });

  it("counts every film once, and those put right", () => {
    const { rates, films, folds } = ratesOf(sound);
    expect([films, folds]).toEqual([300, 5]);
    expect(rates["rejected, as they are"]).toMatchObject({ count: 0, n: 300 });
    expect(rates["said to be inverted, negatives"]).toMatchObject({ count: 300 });
    expect(rates["said to be inverted, as they are"]).toMatchObject({ count: 0 });
  });

  it("warns of about as many films as the limit is set for", () => {
    const spread = sound.map(({ patient }, index) =>
      film(patient, { distance: 1 + ((index * 37) % 300) / 300 }),
    );
    const rate = ratesOf(spread).rates["outside the population, as they are"]!;
    // Limits at 98.5 % of 240 films each leave 1.5 % of 300, give or take a film a fold.
    expect(Math.abs(rate.count - 4.5)).toBeLessThanOrEqual(5);
    expect(rate.count).toBeGreaterThan(0);
  });
});
