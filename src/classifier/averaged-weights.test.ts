import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { networkEntry } from "../models/index.ts";
import { openSession } from "../onnx/index.node.ts";
import { type Model, type Tensor, writeModel } from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { weightsAveraged } from "./averaged-weights.ts";
import { calibrated } from "./calibrated.ts";
import { flipAveraged } from "./flip-averaged.ts";
import { type ClassifierMetadata, readMetadata } from "./metadata.ts";
import { withStoredWeights } from "./stored-weights.ts";

const METADATA: ClassifierMetadata = {
  task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
  input: { size: 32, fit: "squash", normalization: "standardize", window: null },
  operatingPoint: { threshold: 0.7, rule: "stated" },
  provenance: { recipe: { augmentation: "framing" } },
  metrics: { auroc: 0.9 },
};

function classifierOf(metadata: Partial<ClassifierMetadata> = {}, name = "cnn"): Model {
  const network = networkEntry(name).build({ width: 0.25, depth: 1, seed: 1 });
  return assembleClassifier(network, new Map(), { ...METADATA, ...metadata });
}

/** The model with the weights and biases of its last layer times a factor. */
function withHeadTimes(model: Model, factor: number): Model {
  const head = model.graph.nodes.findLast(({ operator }) => operator === "Gemm")!;
  const scaled = (tensor: Tensor): Tensor => ({
    ...tensor,
    data: Float32Array.from(tensor.data as Float32Array, (value) => value * factor),
  });
  const initializers = new Map(model.graph.initializers);
  for (const name of head.inputs.slice(1)) initializers.set(name, scaled(initializers.get(name)!));
  return { ...model, graph: { ...model.graph, initializers } };
}

const FILMS = 4;
const images = {
  type: "uint8",
  dims: [FILMS, 32, 32],
  data: Uint8Array.from({ length: FILMS * 1024 }, (_, i) => (i * i * 31 + (i >> 10) * 40) % 256),
} as const;

/** The logit of each film's second class less that of the first. */
async function logitsOf(model: Model): Promise<number[]> {
  const session = await openSession(writeModel(model));
  const { probabilities } = await session.run({ images });
  await session.close();
  const values = Array.from(probabilities!.data as Float32Array);
  return Array.from({ length: FILMS }, (_, film) =>
    Math.log(values[2 * film + 1]! / values[2 * film]!),
  );
}

function expectClose(found: readonly number[], wanted: readonly number[], digits: number): void {
  for (const [at, value] of wanted.entries()) expect(found[at]).toBeCloseTo(value, digits);
}

const whyOf = (models: [Model, ...Model[]]) => thrownBy(() => weightsAveraged(models));

describe("weightsAveraged", () => {
  it("is the mean: logits are linear in the last layer", async () => {
    const model = classifierOf();
    const models = [1, 2, 6].map((factor) => withHeadTimes(model, factor));
    const alone = await logitsOf(model);
    const mean = await logitsOf(weightsAveraged(models as [Model, ...Model[]]));
    expectClose(
      mean,
      alone.map((logit) => 3 * logit),
      2,
    );
    expect(Math.max(...alone.map(Math.abs))).toBeGreaterThan(0.05);
  });

  it("averages what is calibrated or stored in halves as the networks that they are", async () => {
    const model = classifierOf();
    const platt = {
      method: "platt",
      positive: 1,
      map: { kind: "logistic", slope: 3, intercept: 1 },
    } as const;
    const judged = { operatingPoint: { threshold: 0.2, rule: "stated" }, metrics: {} };
    const other = withStoredWeights(
      withHeadTimes(classifierOf({ provenance: { recipe: { augmentation: "light" } } }), 3),
      "float16",
    );
    const averaged = weightsAveraged([calibrated(model, platt, judged), other]);
    const alone = await logitsOf(model);
    const mean = await logitsOf(averaged);
    expectClose(
      mean,
      alone.map((logit) => 2 * logit),
      2,
    );
    expect(readMetadata(averaged.metadata, "the mean")).toEqual({
      ...METADATA,
      operatingPoint: null,
      calibration: null,
      metrics: {},
      provenance: {
        recipe: { augmentation: "framing" },
        averagedWith: [{ recipe: { augmentation: "light" } }],
      },
    });
  });

  it("refuses models that are unlike, and says which one in what", () => {
    const model = classifierOf();
    const reversed = { ...METADATA.task, classes: ["PNEUMONIA", "NORMAL"] } as const;
    const cases: readonly (readonly [Model, string])[] = [
      [classifierOf({}, "dense"), "its network is another one"],
      [classifierOf({ task: reversed as ClassifierMetadata["task"] }), "it tells other classes"],
      [flipAveraged(model), "its network is another one"],
      [
        classifierOf({ input: { ...METADATA.input, normalization: "percentiles" } }),
        "its network is another one",
      ],
      [
        classifierOf({ input: { ...METADATA.input, window: { center: 40, width: 400 } } }),
        "its films are made ready in another way",
      ],
    ];
    for (const [other, why] of cases) {
      const error = whyOf([model, model, other]);
      expect(error).toMatchObject({ code: "models-unlike", details: { place: 3 } });
      expect(String(error)).toContain(why);
    }
  });
});
