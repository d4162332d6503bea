import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../../test/support/file-tree.ts";
import { smallBackbone } from "../../../test/support/small-backbone.ts";
import { HilumError } from "../../errors.ts";
import type { TrainOptions } from "../options.ts";
import { chosenModel } from "./choose.ts";

const root = fileTree({ "weights.safetensors": "abc" });
const weights = join(root, "weights.safetensors");
const lite = "efficientnet-lite0";

async function refusal(options: TrainOptions, context = {}): Promise<HilumError> {
  try {
    await chosenModel(options, context);
  } catch (error) {
    if (error instanceof HilumError) return error;
    throw error;
  }
  throw new Error("the options were taken");
}

describe("chosenModel", () => {
  it("knows weights by their digest and remembers where they lie apart", async () => {
    expect(await chosenModel({ model: lite, weights }, {})).toMatchObject({
      name: lite,
      isPretrained: true,
      weights: {
        path: weights,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      },
    });
  });

  it("trains a backbone without weights as any network: whole, without a stage for its head", async () => {
    expect(await chosenModel({ model: lite }, {})).toMatchObject({
      isPretrained: false,
      weights: null,
      defaults: {},
    });
  });

  it.each<[TrainOptions, string, RegExp]>([
    [
      { model: "cnn", weights },
      "weights",
      /cnn starts from scratch\. Pretrained backbones are: eff/,
    ],
    [{ weights }, "weights", /cnn starts from scratch/],
    [{ model: "cnn", headEpochs: 3 }, "headEpochs", /is for pretrained backbones, and cnn starts/],
    [{ model: lite, unfreeze: "all" }, "unfreeze", /give it weights \(--pretrained imagenet or/],
    [{ model: lite, weights, pretrained: "imagenet" }, "weights", /Give one of them\.$/],
    [{ model: "mine.pt" }, "model", /no ONNX file\. Export .* give it this file by --weights\.$/],
    [{ model: lite, weights, featureLayer: "f" }, "featureLayer", /--model FILE\.onnx\.$/],
    [{ model: "cnn", preprocessing: "tf" }, "preprocessing", /--model FILE\.onnx\.$/],
    [{ model: lite, weights, width: 2 }, "width", /whose weights have their shapes\.$/],
  ])("refuses %o by the option %s, with what to do", async (options, option, message) => {
    const error = await refusal(options);
    expect(error).toMatchObject({ code: "invalid-option", details: { option } });
    expect(error.message).toMatch(message);
  });

  it("says which file of weights is not there", async () => {
    const error = await refusal({ model: lite, weights: join(root, "gone.h5") });
    expect(error).toMatchObject({ code: "file-not-found", details: { option: "weights" } });
    expect(error.message).toContain(join(root, "gone.h5"));
  });

  it("suggests among networks and backbones alike", async () => {
    expect(await refusal({ model: "xeption" })).toMatchObject({
      details: { suggestion: "xception" },
    });
    expect(await refusal({ model: "cn" })).toMatchObject({ details: { suggestion: "cnn" } });
  });

  it("takes no name and no weights beside a backbone of the caller's own", async () => {
    const context = { backbone: smallBackbone(16) };
    expect(await chosenModel({}, context)).toMatchObject({ name: "own", isPretrained: true });
    expect(await refusal({ model: lite }, context)).toMatchObject({ details: { option: "model" } });
    expect(await refusal({ weights }, context)).toMatchObject({ details: { option: "weights" } });
  });
});
