import { describe, expect, it } from "vitest";
import { thrownBy } from "../../../test/support/rejection.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { withNamedGroups, withShapes } from "./film-columns.ts";

const setOf = (keys: readonly string[], classes = ["NORMAL", "PNEUMONIA"]): PredictionSet => ({
  task: { kind: "classes", classes, positive: 1 },
  keys,
  patients: keys,
  predictions: keys.map(() => ({ target: [0, 1], probabilities: [0.5, 0.5] })),
  columns: { sex: keys.map(() => "f") },
});

const KERMANY = setOf([
  "PNEUMONIA/person1_bacteria_2.jpeg",
  "PNEUMONIA/person1_virus_6.jpeg",
  "NORMAL/IM-0115-0001.jpeg",
]);

describe("withNamedGroups", () => {
  it("knows bacteria and viruses by Kermany's names, and nothing of a film whose name is silent", () => {
    expect(withNamedGroups(KERMANY).columns.pathogen).toEqual(["bacteria", "virus", ""]);
    expect(
      withNamedGroups(setOf(["BACTERIA-12-1.jpeg", "VIRUS-3-1.jpeg"])).columns.pathogen,
    ).toEqual(["bacteria", "virus"]);
  });

  it("takes no column that tells nothing apart, or what the labels say already", () => {
    expect(withNamedGroups(setOf(["a_bacteria_1.png", "b_bacteria_2.png"])).columns).toEqual({
      sex: ["f", "f"],
    });
    const labelled = setOf(["a_bacteria_1.png", "b_virus_2.png"], ["BACTERIA", "VIRUS"]);
    expect(withNamedGroups(labelled).columns.pathogen).toBeUndefined();
  });

  it("reads stated columns by their first group, or else the whole match", () => {
    const { columns } = withNamedGroups(setOf(["x_AP_1.png", "x_PA_2.png", "x_3.png"]), {
      view: "_(AP|PA)_",
      place: "x",
    });
    expect([columns.view, columns.place]).toEqual([
      ["AP", "PA", ""],
      ["x", "x", "x"],
    ]);
  });

  it.each([
    ["[", /is no regular expression/, "kind"],
    ["never", /'never' matches none of 3 films, not PNEUMONIA/, "kind"],
    ["person", /the data have a column of that name/, "sex"],
  ])("refuses %s", (pattern, message, name) => {
    const error = thrownBy(() => withNamedGroups(KERMANY, { [name]: pattern }));
    expect(error).toMatchObject({
      code: "invalid-option",
      message: expect.stringMatching(message),
    });
  });
});

it("gives films columns of their shapes, and leaves those that there are", () => {
  const film = { width: 300, height: 200, aspect: 1.5, mean: 0.25, deviation: 0.1 };
  const set = { ...setOf(["a"]), columns: { "film width": ["broad"] } };
  expect(withShapes(set, [film]).columns).toEqual({
    "film width": ["broad"],
    "film height": ["200"],
    "film aspect": ["1.500"],
    "film brightness": ["0.2500"],
  });
});
