import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import {
  backboneCases,
  backboneForward,
  expectGradients,
  expectOutputs,
} from "../../../test/support/backbone-case.ts";
import { expectClose } from "../../../test/support/close.ts";
import { openSession } from "../../onnx/index.node.ts";
import { float32, modelOf, type Tensor } from "../../onnx/index.ts";
import { expectedTensors } from "../weights/backbone-graph.ts";
import { fitWeights } from "../weights/fit-weights.ts";
import { readWeights } from "../weights/read-weights.node.ts";
import { backboneEntry } from "./table.ts";

describe("at the size that its publisher trained at", () => {
  it.each(Object.entries(backboneCases("torch.json", "keras.json")))(
    "%s returns what another implementation returns on equal weights",
    (name, { full }) => expectOutputs(backboneEntry(name), full),
  );
});

describe("differentiated", () => {
  it.each(Object.entries(backboneCases("torch.json")))(
    "%s has the gradients that another implementation has on equal weights",
    (name, { small }) => expectGradients(backboneEntry(name), small),
  );
});

const WEIGHTS = resolve(import.meta.dirname, "../../../../shared/weights");
const REFERENCE = resolve(WEIGHTS, "reference.json");

interface Reference {
  readonly featureShape: readonly number[];
  readonly featureMean: number;
  readonly featureFirst: readonly number[];
  readonly logitsFirst10: readonly number[];
  readonly logitsSum: number;
  readonly argmax: number;
}

describe.skipIf(!existsSync(REFERENCE))(
  "on its publisher's weights (skipped where ../shared/weights is not there)",
  () => {
    it.each([0, 1, 2])("EfficientNet-Lite%i returns what timm returns", async (index) => {
      const name = `efficientnet-lite${index}`;
      const expected: Reference = JSON.parse(readFileSync(REFERENCE, "utf8"))[name];
      const entry = backboneEntry(name);
      const forward = backboneForward(entry, entry.size);
      const file = await readWeights(resolve(WEIGHTS, `${name}.safetensors`));
      const { tensors } = fitWeights(expectedTensors(entry), file, { withTop: true });
      const initializers = new Map([...forward.initializers, ...tensors]);
      const session = await openSession(modelOf({ ...forward, initializers }));
      const outputs = await session.run({ x: stripes(entry.size) });
      await session.close();
      const features = Array.from(outputs.features!.data, Number);
      const logits = Array.from(outputs.logits!.data, Number);
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      expect(outputs.features!.dims).toEqual(expected.featureShape);
      const close = (actual: readonly number[], wanted: readonly number[], what: string) => {
        const dims = [wanted.length];
        expectClose({ dims, data: actual }, { dims, data: wanted }, { ofLargest: 1e-4 }, what);
      };
      close([sum(features) / features.length], [expected.featureMean], "mean of the features");
      close(features.slice(0, 5), expected.featureFirst, "first features");
      close(logits.slice(0, 10), expected.logitsFirst10, "first logits");
      close([sum(logits)], [expected.logitsSum], "sum of the logits");
      expect(logits.indexOf(Math.max(...logits))).toBe(expected.argmax);
    });
  },
);

/** The image of reference.json: (7h + 3w + floor(hw / 11)) mod 256, as (g - 127) / 128. */
function stripes(size: number): Tensor {
  const plane = Array.from({ length: size * size }, (_, i) => {
    const [h, w] = [Math.floor(i / size), i % size];
    return (((7 * h + 3 * w + Math.floor((h * w) / 11)) % 256) - 127) / 128;
  });
  return float32([1, 3, size, size], [...plane, ...plane, ...plane]);
}
