import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { openDataset } from "../../datasets/index.ts";
import { evaluate } from "../../evaluation/index.ts";
import { networkEntry } from "../../models/index.ts";
import { runFolder } from "../run-folder.ts";
import { withoutHoldout } from "./holdout.ts";
import { spaceOf } from "./space-file.ts";
import { resumeSweep, type TuneOptions, tune } from "./tune.ts";
import type { SweepEvent } from "./work.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 60, size: 32, seed: 4 });

const OPTIONS: TuneOptions = {
  model: "cnn",
  train: { width: 0.1, size: 16, epochs: 1, threads: 1, valFraction: 0.3, batch: 8 },
  space: spaceOf({ lr: { low: 1e-4, high: 1e-1, log: true } }, networkEntry("cnn")),
  budget: { trials: 2 },
  pruner: "none",
  holdout: 0.3,
  workers: 1,
};

interface Line {
  readonly path: string;
  readonly patient: string;
}

it("patients held out are in no trial, and both the best and the recipe are judged on them", async () => {
  const out = place("held");
  const result = await tune(films, OPTIONS, { out, cacheFolder });
  const lines = readFileSync(join(out, "holdout.jsonl"), "utf8").split("\n").filter(Boolean);
  const held = lines.map((line) => JSON.parse(line) as Line);
  const patients = new Set(held.map(({ patient }) => patient));
  expect(held.length).toBeGreaterThan(10);
  for (const number of [0, 1]) {
    const seen = runFolder(join(out, "trials", `000${number}`)).lines<Line>("manifest");
    expect(seen.length + held.length).toBe(60);
    expect(seen.filter(({ patient }) => patients.has(patient))).toEqual([]);
  }
  const { best, recipe, difference, differences, ...counts } = result.holdout!;
  expect(differences.auroc).toEqual(difference);
  expect(counts).toEqual({ films: held.length, patients: patients.size, metric: "auroc" });
  const part = withoutHoldout(out, await openDataset(films)).held;
  const areaOf = async (run: string) =>
    (await evaluate(run, part, { rounds: 0 })).evaluation.metrics.auroc!.value!;
  const areas = [await areaOf(result.best!.run), await areaOf(join(out, "trials/0000"))];
  expect([best.value, recipe.value]).toEqual(areas);
  expect(difference.value).toBeCloseTo(areas[0]! - areas[1]!, 12);
  expect(difference.low).toBeLessThanOrEqual(difference.value!);
  expect(difference.high).toBeGreaterThanOrEqual(difference.value!);

  const events: SweepEvent[] = [];
  const again = await resumeSweep({ out, cacheFolder, onEvent: (event) => events.push(event) });
  expect(again).toEqual(result);
  expect(events).toEqual([]);
});

it("with folds the winner and the recipe are trained on all but the patients held out", async () => {
  const out = place("held-folds");
  const result = await tune(
    films,
    { ...OPTIONS, folds: 2, budget: { trials: 1 } },
    { out, cacheFolder },
  );
  expect(result.refit).toBe(join(out, "refit"));
  for (const name of ["refit", "recipe"]) {
    const { train, validation } = runFolder(join(out, name)).result().images;
    expect(train + validation + result.holdout!.films).toBe(60);
  }
  expect(result.holdout!.difference.value).toBe(0);
});

it("what says who a patient is, and what is positive, holds of those held out as of the others", async () => {
  const out = place("patterns");
  // Any rule will do that is not the usual one: people whose numbers end alike are one patient's.
  const train = { ...OPTIONS.train, positive: "NORMAL", patientPattern: "person\\d*(\\d)_" };
  const result = await tune(films, { ...OPTIONS, train, holdout: 0.3 }, { out, cacheFolder });
  const held = readFileSync(join(out, "holdout.jsonl"), "utf8").split("\n").filter(Boolean);
  const lines = held.map((line) => JSON.parse(line) as Line);
  for (const { path, patient } of lines) expect(path).toMatch(new RegExp(`person\\d*${patient}_`));
  expect(result.holdout!.patients).toBe(new Set(lines.map(({ patient }) => patient)).size);
  expect(result.holdout!.patients).toBeLessThan(10);
  const said = JSON.parse(readFileSync(join(out, "holdout/0000.json"), "utf8")) as {
    set: { task: { classes: string[]; positive: number }; patients: string[] };
  };
  expect(said.set.task.classes[said.set.task.positive]).toBe("NORMAL");
  expect(new Set(said.set.patients).size).toBe(result.holdout!.patients);
});

it.each([0, 1, -0.2])("a share of %s is refused", async (holdout) => {
  const out = place("refused");
  const error = await rejection(tune(films, { ...OPTIONS, holdout }, { out, cacheFolder }));
  expect(error.message).toContain(`Option holdout is ${holdout}`);
  expect(existsSync(out)).toBe(false);
});
