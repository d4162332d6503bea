import { describe, expect, it } from "vitest";
import { parameterNames } from "../src/autodiff/index.ts";
import { graphBuilder, sizeOf } from "../src/onnx/index.ts";
import { WORKS, workNamed } from "./works.ts";

/** As PyTorch counts them in bench/peers/torch_networks.py; torchvision's, less two input channels and 999 logits. */
const PARAMETERS: Readonly<Record<string, number>> = {
  cnn: 5_401_345,
  resnet18: 11_170_753,
  mobilenetv2: 2_224_577,
};

describe("works of the benches", () => {
  it.each(WORKS)(
    "$name has as many parameters as its peers' network",
    ({ name, network, size }) => {
      const builder = graphBuilder();
      const logits = network(1)(builder.input("images", "float32", [1, 1, size, size]), 1);
      builder.output(logits, "logits");
      const graph = builder.build("network");
      const sizes = parameterNames(graph).map((one) => sizeOf(graph.initializers.get(one)!.dims));
      expect(sizes.reduce((a, b) => a + b, 0)).toBe(PARAMETERS[name]);
      expect(logits.shape).toEqual([1, 1]);
    },
  );

  it("finds the networks of train too, and names the works when there is none", () => {
    expect(workNamed("residual")).toMatchObject({ size: 160, batch: 32 });
    expect(() => workNamed("resnet")).toThrow(/no work "resnet".*cnn, resnet18, mobilenetv2/);
  });
});
