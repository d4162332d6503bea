import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { summaryOf, trainFolds } from "./folds.ts";

describe("summaryOf", () => {
  it("is mean and standard deviation over the folds that have the metric", () => {
    const summary = summaryOf([
      { auroc: 0.5, npv: null, ppv: 1 },
      { auroc: 0.75, npv: null, ppv: null },
      { auroc: 1, npv: null, ppv: null },
    ]);
    expect(summary.metrics).toEqual({ auroc: 0.75, npv: null, ppv: 1 });
    expect(summary.deviations).toEqual({ auroc: 0.25, npv: null, ppv: null });
  });
});

describe("trainFolds", () => {
  const refusal = (out: string, options: object) =>
    rejection(trainFolds("films", options, { out }));

  it.each([undefined, null, 1, 2.5, 101])("refuses %s folds", async (folds) => {
    expect(await refusal(fileTree([]), { folds })).toMatchObject({
      code: "invalid-option",
      details: { option: "folds" },
    });
  });

  it("refuses the choice of one fold", async () => {
    const error = await refusal(fileTree([]), { folds: 3, fold: 2 });
    expect(error).toMatchObject({ code: "invalid-option", details: { option: "fold" } });
  });

  it.each([
    ["config.json", /a run of one model/],
    ["fold-1/config.json", /holds folds already. Go on with them by --resume/],
    ["thesis.txt", /is no run, but holds files already/],
  ])("refuses a folder that holds %s", async (file, message) => {
    const error = await refusal(fileTree([file]), { folds: 3 });
    expect(error.code).toBe("run-exists");
    expect(error.message).toMatch(message);
  });
});
