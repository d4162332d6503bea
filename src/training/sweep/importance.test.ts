import { expect, it } from "vitest";
import { networkEntry } from "../../models/index.ts";
import { importances } from "./importance.ts";
import type { TrialResult } from "./result.ts";
import { randomParams } from "./samplers/random.ts";
import { spaceOf } from "./space-file.ts";

const SPACE = spaceOf(
  {
    mixup: { low: 0, high: 1 },
    labelSmoothing: { low: 0, high: 0.5 },
    augmentation: ["none", "light", "strong"],
    balance: ["none", "weights"],
  },
  networkEntry("cnn"),
);

const trialOf = (number: number, value: (params: TrialResult["params"]) => number): TrialResult => {
  const params = randomParams(SPACE, 3, number);
  const rest = { state: "complete", values: {}, seconds: 1, error: null } as const;
  return { ...rest, number, params, value: value(params) };
};

it("dimensions are ordered by what they explain alone; what does nothing explains next to nothing", () => {
  const value = ({ mixup, augmentation }: TrialResult["params"]) =>
    3 * Number(mixup) + (augmentation === "light" ? 1 : 0);
  const found = importances(
    SPACE,
    Array.from({ length: 200 }, (_, number) => trialOf(number, value)),
  );
  expect(found.slice(0, 2).map(({ name }) => name)).toEqual(["mixup", "augmentation"]);
  expect(found[0]!.share).toBeGreaterThan(0.6);
  expect(found[1]!.share).toBeGreaterThan(0.1);
  expect(found[2]!.share).toBeLessThan(0.06);
  const few = Array.from({ length: 5 }, (_, number) => trialOf(number, value));
  expect(importances(SPACE, few).every(({ share }) => share === 0)).toBe(true);
});
