import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { writeSmallClassifier } from "../../test/support/small-classifier.ts";
import { writeRun } from "../../test/support/written-run.ts";
import { reportModel } from "./report-model.ts";

it("says how long spoilt films take before it reads any, then evaluates, then spoils them", async () => {
  const { films, place } = await phantomFolder({ count: 4, size: 32, seed: 5 });
  const model = `${place("away")}.onnx`;
  writeSmallClassifier(model);
  const steps: string[] = [];
  const { report } = await reportModel(model, films, {
    isRobustnessWanted: true,
    onEstimate: ({ films: count }) => steps.push(`${count} films`),
    onProgress: ({ work }) => steps.push(work),
  });
  expect([...new Set(steps)]).toEqual(["4 films", "evaluating", "spoiling films"]);
  expect(report.robustness!.corruptions.length).toBeGreaterThan(0);
});

it("holds films against those named by reference, where the model lies away from its run", async () => {
  const { films, place } = await phantomFolder({ count: 8, size: 32, seed: 5 });
  const model = `${place("away")}.onnx`;
  writeSmallClassifier(model);
  const { report } = await reportModel(model, films, { reference: films });
  expect(report.shift).toMatchObject({
    against: "the films of --reference",
    reason: null,
    embeddingsReason: null,
    warnings: [],
  });
  expect(report.shift.embeddings!.n).toBe(16);
  expect(report.shift.features[0]).toMatchObject({ statistic: 0 });
  // These films chose nothing.
  expect(report.uncertainBand).toBeNull();
});

it("says why nothing is known of the validation films", async () => {
  const { films, place } = await phantomFolder({ count: 4, size: 32, seed: 5 });
  const model = `${place("away")}.onnx`;
  writeSmallClassifier(model);
  const reasonOf = async (path: string) => (await reportModel(path, films)).report.shift.reason;
  expect(await reasonOf(model)).toContain("the model lies away from its run");
  for (const [isFinished, why] of [
    [false, "the run is not finished"],
    [true, "kept no validation.csv"],
  ] as const) {
    const run = place(`finished ${isFinished}`);
    writeRun(run, { model: "cnn", lr: 0.001, values: [0.5], time: 0, isFinished });
    copyFileSync(model, join(run, "model.onnx"));
    expect(await reasonOf(run)).toContain(why);
  }
});
