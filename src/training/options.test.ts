import { describe, expect, it } from "vitest";
import { HilumError } from "../errors.ts";
import type { Recipe } from "../models/index.ts";
import { type Settings, settingsOf, type TrainOptions } from "./options.ts";

const RECIPE: Recipe = {
  size: 64,
  batch: 16,
  epochs: 5,
  learningRate: 2e-3,
  weightDecay: 0.03,
  optimizer: "adamw",
  augmentation: "light",
};
const HERE = { metric: "auroc", threads: 2 };

const settle = (options: object): Settings =>
  settingsOf({ model: "cnn", ...options } as TrainOptions, RECIPE, HERE);

function refusal(options: object): HilumError {
  try {
    settle(options);
  } catch (error) {
    if (error instanceof HilumError) return error;
    throw error;
  }
  throw new Error("the options were taken");
}

describe("settingsOf", () => {
  it("fills what is left out from the recipe, the circumstances and the defaults", () => {
    expect(settle({})).toMatchObject({
      size: 64,
      batch: 16,
      epochs: 5,
      lr: 2e-3,
      weightDecay: 0.03,
      optimizer: "adamw",
      augmentation: "light",
      metric: "auroc",
      threads: 2,
      schedule: "cosine",
      seed: 1,
    });
  });

  it("prefers what is given, and takes undefined for not given", () => {
    expect(settle({ lr: 0.5, epochs: 1, seed: undefined })).toMatchObject({
      lr: 0.5,
      epochs: 1,
      seed: 1,
    });
  });

  it("does not hand the recipe's weight decay to plain Adam", () => {
    expect(settle({ optimizer: "adam" }).weightDecay).toBe(0);
    expect(settle({ optimizer: "adam", weightDecay: 0.1 }).weightDecay).toBe(0.1);
  });

  it.each([
    [
      { epochs: 0 },
      "epochs is 0; it has to be a whole number from 1, as no head is trained before.",
    ],
    [{ epochs: 2.5 }, "epochs is 2.5; it has to be a whole number from 0 to 100000."],
    [
      { unfreeze: "top" },
      'unfreeze is "top"; it has to be a whole number from 0 to 100000 or "all".',
    ],
    [{ pretrained: "xrays" }, 'pretrained is "xrays"; it has to be one of imagenet, or null.'],
    [{ lr: -1 }, "lr is -1; it has to be a number above 0 to 1000."],
    [{ lr: Number.NaN }, "lr is NaN; it has to be a number above 0 to 1000."],
    [{ lr: "0.1" }, 'lr is "0.1"; it has to be a number above 0 to 1000.'],
    [{ momentum: 1 }, "momentum is 1; it has to be a number from 0 and below 1."],
    [{ valFraction: 1 }, "valFraction is 1; it has to be a number above 0 and below 1."],
    [{ clipNorm: 0 }, "clipNorm is 0; it has to be a number above 0, or null."],
    [{ size: 8 }, "size is 8; it has to be a whole number from 16 to 1024."],
    [
      { schedule: "linear" },
      'schedule is "linear"; it has to be one of constant, step, cosine, onecycle, plateau.',
    ],
    [{ fit: "crop" }, 'fit is "crop"; it has to be one of squash, pad.'],
    [{ allowLeaks: "no" }, 'allowLeaks is "no"; it has to be true or false.'],
    [{ freeze: "stem" }, 'freeze is "stem"; it has to be a list of texts.'],
    [
      { window: { center: 1, width: 0 } },
      'window is {"center":1,"width":0}; it has to be { center, width } with a width above 0, or null.',
    ],
    [{ seed: -1 }, "seed is -1; it has to be a whole number from 0 to 4294967295."],
    [{ folds: 1 }, "folds is 1; it has to be a whole number from 2 to 100, or null."],
    [{ patientPattern: 3 }, "patientPattern is 3; it has to be a text, or null."],
  ])("refuses %j in one line that says what is allowed", (options, message) => {
    const error = refusal(options);
    expect(error.code).toBe("invalid-option");
    expect(error.message).toBe(`Option ${message}`);
    expect(error.details.option).toBe(Object.keys(options)[0]);
  });

  it("names an unknown option and the nearest known one", () => {
    const error = refusal({ learningrate: 1, epoch: 3 });
    expect(error.message).toBe('There is no option "learningrate".');
    expect(refusal({ epoch: 3 }).message).toBe(
      'There is no option "epoch". Did you mean "epochs"?',
    );
  });

  it("refuses a fold without folds, and one beyond them", () => {
    expect(refusal({ fold: 2 }).message).toMatch(/fold is 2, but folds is not given/);
    expect(refusal({ folds: 3, fold: 4 }).message).toMatch(/a whole number from 1 to 3/);
    expect(settle({ folds: 3, fold: 3 })).toMatchObject({ folds: 3, fold: 3 });
  });

  it("refuses a column to fold by without folds", () => {
    expect(refusal({ foldBy: "site" }).message).toMatch(/foldBy is "site", but folds is not given/);
    expect(settle({ folds: 3, fold: 1, foldBy: "site" })).toMatchObject({ foldBy: "site" });
  });
});
