import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { thrownBy } from "../../../test/support/rejection.ts";
import { NETWORKS, networkEntry } from "../../models/index.ts";
import { defaultSpace, recipeParams } from "./default-space.ts";
import { isActive, type Space, valueOfShare } from "./space.ts";
import { readSpace, spaceOf } from "./space-file.ts";

const CNN = networkEntry("cnn");
const folder = mkdtempSync(join(tmpdir(), "hilum-space-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("space.json", () => {
  it("has ranges, choices, conditions and what is fixed; parents come before children", () => {
    const path = join(folder, "space.json");
    writeFileSync(
      path,
      JSON.stringify({
        momentum: { low: 0.5, high: 0.9, when: { optimizer: "sgd" } },
        optimizer: { choices: ["adamw", "sgd"] },
        clipNorm: [null, 1],
        lr: { low: 1e-4, high: 1, log: true },
        batch: { low: 8, high: 30, integer: true, step: 8 },
        epochs: 3,
      }),
    );
    const { dimensions, fixed } = readSpace(path, CNN);
    expect(fixed).toEqual({ epochs: 3 });
    expect(dimensions.map(({ name }) => name)).toEqual([
      "optimizer",
      "momentum",
      "clipNorm",
      "lr",
      "batch",
    ]);
    // The last step within the range is the highest value there is.
    expect(dimensions[4]).toMatchObject({ low: 8, high: 24, step: 8, isLog: false });
  });

  const range = { low: 1e-3, high: 1e-1 };
  it.each([
    [[], "A space is an object"],
    [{}, "something to choose"],
    [{ lr: 0.1 }, "something to choose"],
    [{ rate: range }, '"rate" is no option of training'],
    [{ momentun: range }, 'Did you mean "momentum"?'],
    [{ seed: [1, 2] }, '"seed" is the same for all trials'],
    [{ lr: { low: 1 } }, '"lr"'],
    [{ lr: { low: "a", high: 1 } }, "field low"],
    [{ lr: { ...range, logarithmic: true } }, 'field "logarithmic"; there are: low, high, log'],
    [{ lr: { low: 1, high: 1 } }, "low has to be less"],
    [{ labelSmoothing: { low: 0, high: 0.1, log: true } }, "low has to be above 0"],
    [{ batch: { low: 1.5, high: 4, integer: true } }, "whole numbers"],
    [
      { batch: { low: 2, high: 32, integer: true, log: true, step: 2 } },
      "logarithmic and have a step",
    ],
    [{ mixup: { low: 0, high: 0.2, step: 0.5 } }, "longer than its range"],
    [{ optimizer: [] }, '"optimizer"'],
    [{ optimizer: ["sgd", "sgd"] }, "names a choice twice"],
    [
      { optimizer: ["sgd", "rmsprop"] },
      '"optimizer" cannot be "rmsprop". Option optimizer is "rmsprop"; it has to be one of sgd',
    ],
    [{ momentum: { low: 0.5, high: 1.5 } }, '"momentum" cannot be 1.5'],
    [{ lr: range, epochs: 0 }, '"epochs" cannot be 0'],
    [{ momentum: { low: 0.5, high: 0.9, when: { optimizer: "sgd" } } }, 'depends on "optimizer"'],
    [
      { optimizer: ["sgd", "adam"], lr: { ...range, when: { optimizer: "adamw" } } },
      'optimizer = "adamw", which is none of its choices',
    ],
    [
      {
        loss: { choices: ["focal"], when: { optimizer: "sgd" } },
        optimizer: { choices: ["sgd"], when: { loss: "focal" } },
      },
      "depends on itself",
    ],
  ])("%j is refused with the place", (json, words) => {
    const error = thrownBy(() => spaceOf(json, CNN));
    expect(error.code).toBe("space-invalid");
    expect(error.message).toContain(words);
  });

  it("that cannot be read is named", () => {
    expect(thrownBy(() => readSpace(join(folder, "none.json"), CNN)).code).toBe("file-not-found");
    const path = join(folder, "broken.json");
    writeFileSync(path, "{ lr:");
    expect(thrownBy(() => readSpace(path, CNN)).message).toContain("broken.json is no JSON");
    writeFileSync(path, '{ "lr": { "low": 2, "high": 1 } }');
    expect(thrownBy(() => readSpace(path, CNN)).message).toMatch(/broken\.json: "lr" has low 2/);
  });
});

describe("the default space", () => {
  it.each(NETWORKS.map((entry) => [entry.name, entry] as const))(
    "of %s holds its recipe",
    (_, entry) => {
      const space = defaultSpace(entry);
      expect(space.dimensions.length).toBeGreaterThanOrEqual(6);
      const params = recipeParams(space, entry)!;
      expect(params).toMatchObject({
        lr: entry.recipe.learningRate,
        optimizer: entry.recipe.optimizer,
      });
      const recipe = new Map<string, unknown>(Object.entries(entry.recipe));
      for (const dimension of space.dimensions) {
        const { name } = dimension;
        expect(name in params).toBe(isActive(dimension, params));
        if (name in params && recipe.has(name)) expect(params[name]).toBe(recipe.get(name));
      }
    },
  );

  it("has no recipe where a space leaves it out", () => {
    expect(recipeParams(spaceOf({ lr: { low: 0.5, high: 1 } }, CNN), CNN)).toBeUndefined();
  });
});

it("shares of a dimension fall on its values alike often", () => {
  const space: Space = spaceOf(
    {
      batch: { low: 2, high: 6, integer: true, step: 2 },
      epochs: { low: 1, high: 4, integer: true, log: true },
    },
    CNN,
  );
  const [batch, epochs] = space.dimensions;
  const shares = Array.from({ length: 300 }, (_, index) => (index + 0.5) / 300);
  const counts = [2, 4, 6].map(
    (value) => shares.filter((share) => valueOfShare(batch!, share) === value).length,
  );
  expect(counts).toEqual([100, 100, 100]);
  expect([...new Set(shares.map((share) => valueOfShare(epochs!, share)))]).toEqual([1, 2, 3, 4]);
});
