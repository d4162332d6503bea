import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { referenceBytes, referencePath } from "../../../test/support/reference-file.ts";
import { thrownBy } from "../../../test/support/rejection.ts";
import { adamW, parameterNames, softmaxCrossEntropy, trainingGraph } from "../../autodiff/index.ts";
import { openSession } from "../../onnx/index.node.ts";
import {
  float32,
  type Graph,
  graphBuilder,
  type Model,
  modelOf,
  operators as op,
  readModel,
  type Shape,
  sizeOf,
  type Tensor,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import { layersOf } from "../layers.ts";
import { cutBackbone } from "./cut.ts";
import { embedGraph } from "./embed.ts";

interface Reference {
  readonly size: number;
  readonly shape: readonly number[];
  readonly features: readonly number[];
}

const FOLDER = "backbones/onnx";
const references = (name: string): Record<string, Reference> =>
  JSON.parse(readFileSync(referencePath(`${FOLDER}/${name}.json`), "utf8")) as Record<
    string,
    Reference
  >;
const REFERENCES = { ...references("torch"), ...references("keras") };

const modelCalled = (file: string) => readModel(referenceBytes(`${FOLDER}/${file}`));

/** The images that the scripts of the fixtures fed. */
function images(count: number, size: number): Tensor {
  const dims = [count, 3, size, size];
  return float32(
    dims,
    Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(0.37 * i)),
  );
}

async function featuresOf(graph: Graph, x: Tensor): Promise<Tensor> {
  const session = await openSession(graph, { threads: 1 });
  const { features } = await session.run({ x });
  await session.close();
  return features!;
}

/** The feature layer that each file is cut at, and its parameters: as many as the layers have. */
const FILES: Readonly<Record<string, { layer: string; parameters: number; isFixed?: boolean }>> = {
  "torchvision-resnet.onnx": { layer: "relu_10", parameters: 30 },
  "torchvision-mobilenet-v2.onnx": { layer: "hardtanh_10", parameters: 32 },
  "torchvision-densenet-script.onnx": { layer: "/Relu_output_0", parameters: 32 },
  "timm-vit.onnx": { layer: "select", parameters: 30, isFixed: true },
  "timm-vit-fixed-batch.onnx": { layer: "select", parameters: 18, isFixed: true },
  "timm-convnext.onnx": { layer: "add_3", parameters: 52 },
  "keras-mobile.onnx": { layer: "functional_1/features_1/Relu:0", parameters: 20 },
  "keras-plain.onnx": { layer: "functional_2_1/pool1_1/MaxPool2d:0", parameters: 4 },
};

test("every fixture is cut", () => {
  expect(Object.keys(FILES).sort()).toEqual(Object.keys(REFERENCES).sort());
});

describe.each(Object.entries(FILES))("%s", (file, { layer, parameters, isFixed = false }) => {
  const { size, shape, features } = REFERENCES[file]!;
  const cut = cutBackbone(modelCalled(file));

  it("is cut before its head", () => {
    expect(cut).toMatchObject({ featureLayer: layer, size, isSizeFixed: isFixed });
    expect(cut.graph.inputs).toEqual([{ name: "x", type: "float32", shape: ["N", 3, size, size] }]);
    expect(cut.graph.outputs).toEqual([
      { name: "features", type: "float32", shape: ["N", ...shape.slice(1)] },
    ]);
    expect(parameterNames(cut.graph)).toHaveLength(parameters);
  });

  it("computes what its framework does", async () => {
    const actual = await featuresOf(cut.graph, images(2, size));
    expect(actual.dims).toEqual(shape);
    const largest = Math.max(...features.map(Math.abs));
    const errors = toNumbers(actual).map((value, i) => Math.abs(value - features[i]!) / largest);
    expect(Math.max(...errors)).toBeLessThan(1e-5);
  });

  it("takes a batch of any size", async () => {
    const actual = await featuresOf(cut.graph, images(5, size));
    const first = await featuresOf(cut.graph, images(1, size));
    const count = sizeOf(first.dims);
    toNumbers(first).forEach((value, i) => {
      expect(actual.data[i]).toBeCloseTo(value, 4);
    });
    expect(actual.data).toHaveLength(5 * count);
  });

  it("is trained as a whole", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3, size, size]);
    const { features: y } = embedGraph(builder, cut.graph, { x });
    const pooled = y!.shape.length === 4 ? op.flatten(op.globalAveragePool(y!)) : y!;
    const logits = layersOf(1).dense(pooled, "head", 2);
    const targets = builder.constant(float32([2, 2], [1, 0, 0, 1]));
    const weights = builder.constant(float32([2, 2], [1, 1, 1, 1]));
    builder.output(softmaxCrossEntropy()({ logits, targets, weights }), "loss");
    const { graph, state } = trainingGraph(builder.build(), { optimizer: adamW() });
    const session = await openSession(graph, { threads: 1 });
    const stepped = await session.run({
      ...Object.fromEntries(state.map(({ name, initial }) => [name, initial])),
      x: images(2, size),
      learningRate: float32([], [0.01]),
      step: float32([], [1]),
    });
    await session.close();
    const trained = state.filter(({ kind }) => kind === "parameter");
    const still = trained.filter(({ name, initial }) => {
      const after = toNumbers(stepped[`next:${name}`]!);
      const isStill = toNumbers(initial).every((value, i) => value === after[i]);
      return isStill || !after.every(Number.isFinite);
    });
    expect(trained).toHaveLength(parameters + 2);
    expect(still.map(({ name }) => name)).toEqual([]);
  });
});

test("a layer is cut at by the name of its value or of its node", () => {
  const model = modelCalled("torchvision-resnet.onnx");
  const byValue = cutBackbone(model, { featureLayer: "relu_5" });
  const { name } = model.graph.nodes.find(({ outputs }) => outputs[0] === "relu_5")!;
  const byNode = cutBackbone(model, { featureLayer: name });
  expect(byValue.graph.outputs[0]!.shape).toEqual(["N", 8, 8, 8]);
  expect(byNode.graph).toEqual(byValue.graph);
});

test("tokens named as features are averaged, and maps with channels last moved", () => {
  const tokens = cutBackbone(modelCalled("timm-vit.onnx"), { featureLayer: "add_2" });
  expect(tokens.graph.outputs[0]!.shape).toEqual(["N", 24]);
  const map = cutBackbone(modelCalled("timm-convnext.onnx"), { featureLayer: "layer_norm_1" });
  expect(map.graph.outputs[0]!.shape).toEqual(["N", 8, 16, 16]);
});

test("a layer that is not there is refused with the nearest one", () => {
  const model = modelCalled("torchvision-resnet.onnx");
  const error = thrownBy(() => cutBackbone(model, { featureLayer: "relu_l0" }));
  expect(error).toMatchObject({ code: "unknown-layer", details: { suggestion: "relu_10" } });
  expect(error.message).toBe(
    'The model has no value or node called "relu_l0" that the image reaches. Did you mean "relu_10"?',
  );
});

test("a convolutional network takes images of another size", async () => {
  const { size, graph } = cutBackbone(modelCalled("torchvision-resnet.onnx"), { size: 96 });
  expect(size).toBe(96);
  expect((await featuresOf(graph, images(2, 96))).dims).toEqual([2, 32, 3, 3]);
});

test("a network of a fixed size says so where another is asked", () => {
  const model = modelCalled("timm-vit.onnx");
  const error = thrownBy(() => cutBackbone(model, { size: 64 }));
  expect(error).toMatchObject({ code: "backbone-unsupported", details: { size: 32, asked: 64 } });
  expect(error.message).toMatch(/^The model works on images of 32 x 32 only, not 64: /);
});

/** A small classifier of our own making. */
function classifier(build: (x: Value) => Value, shape: Shape = ["N", 3, 16, 16]): Model {
  const builder = graphBuilder();
  builder.output(build(builder.input("image", "float32", shape)), "y");
  return modelOf(builder.build());
}
const { conv, dense } = layersOf(1);

test("a map of classes counts as the head", () => {
  const ending = (classes: number, last: (x: Value) => Value) =>
    classifier((x) => {
      const map = op.relu(conv(x, "body", { channels: 8 }));
      const scores = op.relu(conv(op.dropout(map, 0.5), "classes", { channels: classes }));
      return last(op.flatten(op.globalAveragePool(scores)));
    });
  const channels = (model: Model) => cutBackbone(model).graph.outputs[0]!.shape![1];
  expect(channels(ending(4, op.identity))).toBe(8);
  expect(channels(ending(16, op.softmax))).toBe(8);
  expect(channels(ending(1000, op.identity))).toBe(8);
  expect(channels(ending(16, op.identity))).toBe(16);
});

test("a file without a head is a backbone as it is", () => {
  const map = classifier((x) => op.relu(conv(x, "body", { channels: 8 })));
  expect(cutBackbone(map).graph.outputs[0]!.shape).toEqual(["N", 8, 16, 16]);
});

test("names of our own that a file uses for something else make room", async () => {
  const model = classifier((x) => {
    const { builder } = x;
    const [inner] = builder.node("Relu", [x], {}, { outputs: ["x"] });
    const map = conv(inner!, "body", { channels: 4 });
    const [named] = builder.node("Relu", [map], {}, { outputs: ["features"] });
    return dense(op.flatten(op.globalAveragePool(conv(named!, "last", { channels: 4 }))), "fc", 2);
  });
  const { graph } = cutBackbone(model);
  expect((await featuresOf(graph, images(1, 16))).dims).toEqual([1, 4, 16, 16]);
});

test("parameters and constants are told apart by name", () => {
  const model = classifier((x) => {
    const { builder } = x;
    const vector = (name: string, values: readonly number[]) =>
      builder.parameter(name, float32([1, values.length, 1, 1], values));
    const centred = op.sub(x, vector("mean", [0.4, 0.5, 0.6]));
    const weight = builder.parameter("constant_7", float32([4, 3, 1, 1], Array(12).fill(0.5)));
    const map = op.conv(centred, weight);
    const scaled = op.mul(map, vector("gamma", [1, 1, 1, 2]));
    const masked = op.add(scaled, vector("mask", [0, 0, -100, 0]));
    const again = op.mul(op.relu(masked), vector("gamma2", [1, 1, 1, 2]));
    const half = op.mul(again, builder.parameter("half", float32([], [0.5])));
    return dense(op.flatten(op.globalAveragePool(half)), "fc", 2);
  });
  expect(parameterNames(cutBackbone(model).graph)).toEqual(["parameter", "gamma", "gamma2"]);
});

test("vectors that an exporter shares for their equal contents train apart", () => {
  const model = classifier((x) => {
    const bias = x.builder.parameter("bias", float32([4], [0, 0, 0, 0]));
    const weight = (name: string, inputs: number) =>
      x.builder.parameter(name, float32([4, inputs, 1, 1], Array(4 * inputs).fill(0.5)));
    const first = op.relu(op.conv(x, weight("first", 3), bias));
    return dense(
      op.flatten(op.globalAveragePool(op.conv(first, weight("second", 4), bias))),
      "fc",
      2,
    );
  });
  const { graph } = cutBackbone(model);
  expect(parameterNames(graph)).toEqual(["bias", "first", "second", "bias_1"]);
});

describe("a model that cannot be a backbone is refused in one line", () => {
  const pooled = (x: Value) => op.flatten(op.globalAveragePool(x));
  const quantized = (x: Value): Value => {
    const { builder } = x;
    const options = { results: [{ type: "uint8", shape: x.shape }] } as const;
    return pooled(
      op.cast(builder.node("QuantizeLinear", [x, builder.scalar(0.1)], {}, options)[0]!, "float32"),
    );
  };
  it.each([
    [
      "quantized",
      classifier(quantized),
      /^The model is quantized \(QuantizeLinear "QuantizeLinear"\)/,
    ],
    [
      "of a vector",
      classifier((x) => dense(x, "fc", 2), ["N", 8]),
      /none of its inputs is one: image/,
    ],
    ["not square", classifier(pooled, ["N", 3, 16, 24]), /"image" of the model is 16x24/],
    [
      "of two images",
      classifier((x) => op.add(pooled(x), pooled(x.builder.input("other", "float32", x.shape)))),
      /several inputs are images: image float32/,
    ],
    [
      "of half precision",
      {
        ...classifier(pooled),
        graph: {
          ...classifier(pooled).graph,
          initializers: new Map([
            ["w", { type: "float16", dims: [1], data: Uint16Array.of(0) } as const],
          ]),
        },
      },
      /^The model is in half precision \("w"\)/,
    ],
  ])("%s", (_, model, message) => {
    expect(thrownBy(() => cutBackbone(model))).toMatchObject({
      code: "backbone-unsupported",
      message: expect.stringMatching(message) as string,
    });
  });
});
