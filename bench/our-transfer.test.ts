import { describe, expect, it } from "vitest";
import { sizeOf } from "../src/onnx/index.ts";
import { kernelsOnly } from "./equality.ts";
import { openOurFeatures, openOurFineTuning } from "./our-transfer.ts";
import { TRANSFERS, transferNamed, UNFROZEN } from "./transfers.ts";

/** As PyTorch counts them in bench/peers/torch_transfer.py, norms and biases aside. */
function kernelCount(parameters: readonly (readonly number[])[]): number {
  const kernels = kernelsOnly({ name: "hilum", parameters }).parameters;
  return kernels.map(sizeOf).reduce((a, b) => a + b, 0);
}

describe("the works of the transfer bench", () => {
  it("computes features of a batch, by as many kernels as the published network's", async () => {
    const features = await openOurFeatures(
      { work: "mobilenet-v2", size: 32, batch: 4 },
      { threads: 1 },
    );
    await features.step();
    expect(kernelCount(features.parameters)).toBe(2_189_760);
    await features.close();
  });

  it("trains two blocks of Xception and a head", async () => {
    const tuning = await openOurFineTuning(
      { work: "xception", size: 71, batch: 2 },
      { threads: 1 },
    );
    expect(await tuning.step()).toSatisfy(Number.isFinite);
    expect(kernelCount(tuning.parameters)).toBe(6_775_664);
    await tuning.close();
  });

  it("says what fine-tuning trains, and names the works when there is none", () => {
    for (const { task, work } of TRANSFERS)
      if (task === "fine-tuning") expect(UNFROZEN).toHaveProperty(work);
    expect(() => transferNamed("vgg16")).toThrow(/no work "vgg16".*xception-features, inception/);
  });
});
