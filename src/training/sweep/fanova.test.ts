import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { referencePath } from "../../../test/support/reference-file.ts";
import { randomStream } from "../../random.ts";
import { fanova } from "./fanova.ts";
import { type Axis, forestValue, growForest, type Observed } from "./forest.ts";

interface Case {
  readonly trials: readonly {
    readonly params: Readonly<Record<string, number | string>>;
    readonly value: number;
  }[];
  readonly shares: Readonly<Record<string, number>>;
}

const REFERENCE = JSON.parse(readFileSync(referencePath("sweep/fanova.json"), "utf8")) as Readonly<
  Record<"numbers" | "mixed", Case>
>;
const NUMBER: Axis = { categories: null };
const KINDS = ["x", "y", "z"];

const observedIn = ({ trials, shares }: Case): Observed[] =>
  trials.map(({ params, value }) => ({
    point: Object.keys(shares).map((name) =>
      name === "kind" ? KINDS.indexOf(String(params[name])) : Number(params[name]),
    ),
    value,
  }));

it.each([
  // Forests differ by what is drawn for them: so do Optuna's own, by up to 0.03 from seed to seed.
  ["numbers", [NUMBER, NUMBER, NUMBER, NUMBER], 0.05, [0.64, 0.331, 0.022, 0]],
  // Optuna's corners of a one-hot code are also places where a film is of two kinds, or of none.
  ["mixed", [NUMBER, NUMBER, { categories: 3 }], 0.08, [0.335, 0.018, 0.623]],
] as const)(
  "shares of variance are near Optuna's and the truth, of %s",
  (name, axes, tolerance, truth) => {
    const { shares } = REFERENCE[name];
    const found = fanova(axes, observedIn(REFERENCE[name]), 1);
    for (const [axis, share] of Object.values(shares).entries()) {
      expect(Math.abs(found[axis]! - share), `${name} ${axis}`).toBeLessThan(tolerance);
      expect(Math.abs(found[axis]! - truth[axis]!), `${name} ${axis}`).toBeLessThan(0.1);
    }
    expect(fanova(axes, observedIn(REFERENCE[name]), 1)).toEqual(found);
  },
);

it("what depends on one category alone is explained by it, and what is constant by nothing", () => {
  const axes = [NUMBER, { categories: 4 }];
  const random = randomStream("category");
  const points = Array.from({ length: 60 }, () => [random.uniform(), random.integer(4)]);
  const found = fanova(
    axes,
    points.map((point) => ({ point, value: point[1] === 2 ? 5 : 1 })),
    1,
  );
  expect(found[0]).toBeCloseTo(0, 12);
  expect(found[1]).toBeCloseTo(1, 12);
  expect(
    fanova(
      axes,
      points.map((point) => ({ point, value: 1 })),
      1,
    ),
  ).toEqual([0, 0]);
});

it("one category of four weighs a quarter of its axis, however many trials were of it", () => {
  const random = randomStream("category weight");
  // Half of the trials are of category 2. Truth, all categories alike: variances 4² 3/16 and 2² 1/4.
  const observed = Array.from({ length: 200 }, (_, trial): Observed => {
    const [place, category] = [random.uniform(), trial % 2 === 0 ? 2 : random.integer(4)];
    return {
      point: [place, category],
      value: (category === 2 ? 5 : 1) + (place > 0.5 ? 2 : 0),
    };
  });
  const [number, category] = fanova([NUMBER, { categories: 4 }], observed, 1);
  expect(number).toBeCloseTo(0.25, 2);
  expect(category).toBeCloseTo(0.75, 2);
});

it("a forest is near a smooth function where it was seen", () => {
  const random = randomStream("forest");
  const f = (x: number, y: number) => Math.sin(4 * x) + y;
  const seen = Array.from({ length: 400 }, () => [random.uniform(), random.uniform()] as const);
  const axes = [NUMBER, NUMBER];
  const forest = growForest(
    axes,
    seen.map((point) => ({ point, value: f(...point) })),
    { trees: 32, seed: 2 },
  );
  for (let trial = 0; trial < 50; trial++) {
    const [x, y] = [random.between(0.1, 0.9), random.between(0.1, 0.9)];
    expect(Math.abs(forestValue(axes, forest, [x, y]) - f(x, y))).toBeLessThan(0.25);
  }
});
