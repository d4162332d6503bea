import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { referenceBytes, referencePath } from "../../test/support/reference-file.ts";
import { type GraphProto, ModelProtoSchema } from "./generated/onnx_pb.ts";
import { inspectModel, readModelFile, weightsDigest } from "./index.node.ts";
import { float32, type Graph, graphBuilder, readModel, type Tensor } from "./index.ts";

const digestOf = (name: string) =>
  weightsDigest(readModel(referenceBytes(`onnx/${name}.onnx`)).graph);

function graphOf(entries: readonly (readonly [string, Tensor])[]): Graph {
  const builder = graphBuilder();
  for (const [name, contents] of entries) builder.parameter(name, contents);
  return builder.build();
}

describe("the digest of weights", () => {
  test("agrees for raw bytes and typed fields, in whatever order", () => {
    expect(digestOf("typed")).toBe(digestOf("conv-net"));
  });

  test("is the one that the files were published with", () => {
    // A changed definition would make old digests, which users keep, worthless.
    expect(digestOf("conv-net")).toMatchInlineSnapshot(
      `"8061ee1365f1018dbe50c5fe7eda69e59dd3da7767c0b8cc1b51bd788e4ebb82"`,
    );
  });

  test("agrees for every element type that we only carry, raw or typed, and sees each change", () => {
    const { graph } = readModel(referenceBytes("onnx/element-types.onnx"));
    const tensors = (graph.extra as GraphProto).initializer;
    const alone = (suffix: string) => {
      const chosen = tensors.filter(
        ({ name }) => name.endsWith(suffix) && !name.includes("string"),
      );
      expect(chosen.length).toBeGreaterThan(24);
      return chosen.map((tensor) => {
        const initializer = [{ ...tensor, name: tensor.name.replace(suffix, "") }];
        const model = create(ModelProtoSchema, { irVersion: 11n, graph: { initializer } });
        return weightsDigest(readModel(toBinary(ModelProtoSchema, model)).graph);
      });
    };
    const raw = alone(" raw");
    expect(alone(" typed")).toEqual(raw);
    expect(new Set(raw).size).toBe(raw.length);
  });

  test("depends on name, type, shape and each value, and on nothing else", () => {
    const weight = float32([2, 2], [1, 2, 3, 4]);
    const digest = weightsDigest(graphOf([["w", weight]]));
    const others: [string, Tensor][] = [
      ["v", weight],
      ["w", float32([4], [1, 2, 3, 4])],
      ["w", float32([2, 2], [1, 2, 3, 5])],
      ["w", { ...weight, type: "int32", data: new Int32Array(weight.data.buffer as ArrayBuffer) }],
    ];
    for (const entry of others) expect(weightsDigest(graphOf([entry]))).not.toBe(digest);
    const both = graphOf([
      ["w", weight],
      ["\u00e9", weight],
      ["z", weight],
    ]);
    const turned = graphOf([
      ["z", weight],
      ["\u00e9", weight],
      ["w", weight],
    ]);
    expect(weightsDigest(both)).toBe(weightsDigest(turned));
  });
});

test("an inspection says what is in the file", async () => {
  const inspection = inspectModel(await readModelFile(referencePath("onnx/conv-net.onnx")));
  expect(inspection).toMatchObject({
    inputs: [{ name: "x", type: "float32", shape: ["N", 1, "H", "W"] }],
    outputs: [{ name: "y", type: "float32", shape: ["N", 3] }],
    operators: { Conv: 1, Relu: 1, GlobalAveragePool: 1, Flatten: 1, MatMul: 1 },
    parameters: 72 + 8 + 24,
    metadata: {},
    opsets: { "ai.onnx": 21 },
    irVersion: 10,
    producer: "make.py",
    weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});
