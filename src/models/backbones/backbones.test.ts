import { describe, expect, it } from "vitest";
import {
  backboneCases,
  backboneForward,
  expectOutputs,
} from "../../../test/support/backbone-case.ts";
import { adamW, nextName, parameterNames, trainingGraph } from "../../autodiff/index.ts";
import { graphBuilder, operators as op, sizeOf } from "../../onnx/index.ts";
import { BACKBONES, backboneEntry } from "./table.ts";

const CASES = backboneCases("torch.json", "keras.json");

describe.each(Object.entries(CASES))("%s", (name, { source, parameters, small, full }) => {
  const entry = backboneEntry(name);

  it(`returns what ${source} returns on equal weights`, () => expectOutputs(entry, small));

  it("has as many parameters and a feature map of the shape that its publisher states", () => {
    expect(entry.size).toBe(full.size);
    const forward = backboneForward(entry, entry.size);
    const count = (sum: number, key: string) => sum + sizeOf(forward.initializers.get(key)!.dims);
    expect(parameterNames(forward).reduce(count, 0)).toBe(parameters);
    expect(forward.outputs.map(({ shape }) => shape)).toEqual([full.features.shape, [1, 1000]]);
  });

  it("keeps the name of the batch's size, so that any number of images can be run", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", ["N", 3, entry.size, entry.size]);
    const { features, top } = entry.build({ seed: 1 });
    const map = features(x);
    expect(map.shape).toEqual(["N", ...full.features.shape.slice(1)]);
    expect(top(map).shape).toEqual(["N", 1000]);
  });

  it("can be trained in every parameter", () => {
    const forward = backboneForward(entry, small.size, 2);
    const builder = graphBuilder(forward);
    builder.output(op.reduceSum(builder.find("logits")!, { keepsDims: false }), "loss");
    const { graph } = trainingGraph(builder.build(), { optimizer: adamW() });
    const outputs = new Set(graph.outputs.map((output) => output.name));
    const lost = parameterNames(forward).filter((key) => !outputs.has(nextName(key)));
    expect(lost).toEqual([]);
  });
});

describe("the table of backbones", () => {
  it("names the nearest where a name is not known", () => {
    expect(() => backboneEntry("resnet-18")).toThrow(/No model is called "resnet-18".*"resnet18"/);
  });

  it("has no two entries of one name", () => {
    expect(new Set(BACKBONES.map(({ name }) => name)).size).toBe(BACKBONES.length);
  });
});
