import { describe, expect, it } from "vitest";
import {
  type BackboneCase,
  backboneCases,
  backboneForward,
} from "../../../test/support/backbone-case.ts";
import { float32, isConstantName, sizeOf } from "../../onnx/index.ts";
import { backboneEntry } from "../backbones/table.ts";
import { inOrderOf, kerasOrder } from "./keras-order.ts";

interface KerasCase extends BackboneCase {
  /** With the statistics of norms. */
  readonly published: number;
  /** Shapes of the outputs of layers with weights, in the order of `model.layers`. */
  readonly layers: Readonly<Record<string, readonly number[]>>;
}

describe.each(Object.entries(backboneCases<KerasCase>("keras.json")))("%s", (name, expected) => {
  const entry = backboneEntry(name);
  const forward = backboneForward(entry, entry.size);

  it("lists its layers as Keras' model.layers does", () => {
    expect(kerasOrder(forward)).toEqual(Object.keys(expected.layers));
  });

  it("has the layer outputs that Keras' has", () => {
    const shapes: Record<string, readonly unknown[]> = {};
    for (const node of forward.nodes)
      for (const input of node.inputs) {
        if (!forward.initializers.has(input) || isConstantName(input)) continue;
        const [, ...shape] = forward.values.get(node.outputs[0]!)!.shape!;
        shapes[input.slice(0, input.lastIndexOf("."))] = shape;
      }
    expect(shapes).toEqual(expected.layers);
  });

  it("has as many parameters, statistics of norms included, as Keras states", () => {
    const counts = [...forward.initializers]
      .filter(([key]) => !isConstantName(key))
      .map(([, { dims }]) => sizeOf(dims));
    expect(counts.reduce((a, b) => a + b, 0)).toBe(expected.published);
  });
});

describe("inOrderOf", () => {
  const graph = backboneForward(backboneEntry("vgg16"), 32);
  const layer = (index: number) => `conv2d_${index + 7}`;
  const tensors = (count: number) =>
    new Map(
      Array.from({ length: count }, (_, index) => [
        `${layer(index)}/kernel`,
        float32([1, 1, 1, 1], [index]),
      ]),
    );

  it("takes layers of one kind in their order, whatever their numbers", () => {
    const { tensors: named, originals } = inOrderOf(graph, {
      source: "old.h5",
      convention: "keras",
      tensors: tensors(13),
    });
    expect(named.get("block1_conv1/kernel")!.data[0]).toBe(0);
    expect(named.get("block3_conv1/kernel")!.data[0]).toBe(4);
    expect(originals!.get("block5_conv3/kernel")).toBe("conv2d_19/kernel");
  });

  it("leaves a layer too many one that no network has", () => {
    const { tensors: named } = inOrderOf(graph, {
      source: "old.h5",
      convention: "keras",
      tensors: tensors(14),
    });
    expect([...named.keys()].at(-1)).toBe("conv2d_20 (number 14 of its kind)/kernel");
  });
});
