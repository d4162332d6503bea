import { expect, test } from "vitest";
import { openSession, weightsDigest } from "./index.node.ts";
import { graphBuilder, int64, modelOf, operators as op, readModel, writeModel } from "./index.ts";

function sample() {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const weight = builder.parameter("weight", {
    type: "float32",
    dims: [4, 2],
    data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  });
  const shape = builder.constant(int64([2], [-1, 2]));
  builder.output(builder.node("Reshape", [op.matMul(x, weight), shape])[0]!, "y");
  return modelOf(builder.build(), { metadata: new Map([["key", "value"]]) });
}

test("a model read from its bytes has equal weights, metadata and results", async () => {
  const model = sample();
  // A Buffer at an odd place: tensors in it are not aligned.
  const bytes = writeModel(model);
  const shifted = Buffer.alloc(bytes.length + 1);
  shifted.set(bytes, 1);
  const read = readModel(shifted.subarray(1));
  expect(weightsDigest(read.graph.initializers)).toBe(weightsDigest(model.graph.initializers));
  expect(read.metadata.get("key")).toBe("value");
  const session = await openSession(read);
  const output = await session.run({
    x: { type: "float32", dims: [1, 4], data: Float32Array.of(1, 0, 0, 1) },
  });
  expect(Array.from(output.y!.data as Float32Array)).toEqual([8, 10]);
  await session.close();
});

test("a truncated file is refused by a typed error", () => {
  const bytes = writeModel(sample());
  for (let length = 0; length < bytes.length - 1; length += 7)
    try {
      readModel(bytes.subarray(0, length));
    } catch (error) {
      expect(error).toMatchObject({ name: "HilumError" });
    }
  expect(() => readModel(bytes.subarray(0, 20))).toThrow(/protobuf|graph/);
});
