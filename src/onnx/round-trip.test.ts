import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { referenceBytes } from "../../test/support/reference-file.ts";
import { ModelProtoSchema } from "./generated/onnx_pb.ts";
import { weightsDigest } from "./index.node.ts";
import {
  float32,
  graphBuilder,
  int,
  int64,
  type Model,
  modelOf,
  operators as op,
  readModel,
  writeModel,
} from "./index.ts";

const FILES = ["every-kind", "element-types", "control-flow", "conv-net", "typed"];

function read(name: string): Model {
  return readModel(referenceBytes(`onnx/${name}.onnx`), { name });
}

const decoded = (model: Model) => fromBinary(ModelProtoSchema, writeModel(model));

function small(): Model {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const weight = builder.parameter("weight", float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
  const shape = builder.constant(int64([2], [-1, 2]));
  builder.output(builder.node("Reshape", [op.matMul(x, weight), shape])[0]!, "y");
  return modelOf(builder.build(), { metadata: new Map([["key", "value"]]) });
}

describe("a file that is read and written again", () => {
  test.each(FILES)("%s.onnx is the same to the last byte", (name) => {
    expect(writeModel(read(name))).toEqual(referenceBytes(`onnx/${name}.onnx`));
  });

  test("holds what we do not understand", () => {
    const model = decoded(read("every-kind"));
    expect(model.$unknown).toHaveLength(2);
    expect(model.functions[0]).toMatchObject({ name: "Kinds", overload: "second" });
    expect(model.trainingInfo[0]?.updateBinding[0]).toMatchObject({ key: "weight" });
    expect(model.graph?.sparseInitializer).toHaveLength(1);
    expect(model.graph?.quantizationAnnotation[0]?.tensorName).toBe("weight");
    expect(model.graph?.node[1]?.$unknown).toHaveLength(2);
    expect(model.graph?.node[2]?.deviceConfigurations[0]?.pipelineStage).toBe(1);
  });
});

describe("a file that is read, changed and written", () => {
  test("keeps everything beside the change of a node", () => {
    const model = read("every-kind");
    const nodes = model.graph.nodes.map((node) => ({ ...node, name: `net/${node.name}` }));
    const before = decoded(model);
    const after = decoded({ ...model, graph: { ...model.graph, nodes } });
    for (const node of before.graph!.node) node.name = `net/${node.name}`;
    expect(after).toEqual(before);
  });

  test("keeps the other attributes of a node, digits beyond a double's included", () => {
    const model = read("every-kind");
    const nodes = model.graph.nodes.map((node) => ({
      ...node,
      attributes: { ...node.attributes, added: int(2 ** 63) },
    }));
    const { node } = decoded({ ...model, graph: { ...model.graph, nodes } }).graph!;
    const attributes = new Map(node[2]!.attribute.map((attribute) => [attribute.name, attribute]));
    expect(attributes.get("i")?.i).toBe(2n ** 63n - 1n);
    expect(attributes.get("9")?.ints).toEqual([-(2n ** 63n), 7n]);
    expect(attributes.get("f")?.docString).toBe("a float");
    expect(attributes.get("added")?.i).toBe(2n ** 63n - 1n);
  });

  test.each(["conv-net", "typed"])("has the weights that were changed in place (%s)", (name) => {
    const model = read(name);
    const bias = model.graph.initializers.get("stem.bias")!;
    bias.data[3] = 42;
    const again = readModel(writeModel(model)).graph.initializers.get("stem.bias")!;
    expect(Array.from(again.data as Float32Array)).toEqual(Array.from(bias.data as Float32Array));
    expect(again.data[3]).toBe(42);
  });

  test("has new initializers last and leaves removed ones out", () => {
    const model = read("every-kind");
    const initializers = new Map(model.graph.initializers);
    initializers.delete("nothing");
    initializers.set("new", float32([1], [5]));
    const { initializer } = decoded({ ...model, graph: { ...model.graph, initializers } }).graph!;
    expect(initializer.map(({ name }) => name)).toEqual(["strings", "weight", "nibbles", "new"]);
    expect(initializer[1]?.docString).toBe("a weight");
  });

  test("has the changed metadata, opset and value type, and the old entries else", () => {
    const model = read("every-kind");
    const changed = decoded({
      ...model,
      opsets: new Map([...model.opsets, ["", 22]]),
      metadata: new Map([...model.metadata, ["once", "changed"]]),
      graph: {
        ...model.graph,
        inputs: model.graph.inputs.map((input) =>
          input.name === "x" ? { ...input, type: "float16" as const } : input,
        ),
      },
    });
    expect(changed.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ["", 22n],
      ["com.example", 1n],
    ]);
    expect(changed.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["twice", "value 1"],
      ["once", "changed"],
    ]);
    expect(changed.graph?.input[0]).toMatchObject({ docString: "an input" });
    expect(changed.graph?.input[0]?.type?.value.value).toMatchObject({ elemType: 10 });
  });
});

describe("reading", () => {
  test("gives each element type the same values from raw bytes and from typed fields", () => {
    const { initializers } = read("element-types").graph;
    const types = [...initializers.keys()].filter((name) => name.endsWith(" raw"));
    expect(types.length).toBe(13);
    for (const raw of types) {
      const typed = initializers.get(raw.replace("raw", "typed"))!;
      expect(typed).toEqual({ ...initializers.get(raw) });
    }
    expect(initializers.get("float16 raw")?.data).toEqual(Uint16Array.of(0x3c00, 0, 0x3c00));
    expect(initializers.get("int64 raw")?.data).toEqual(BigInt64Array.of(1n, 0n, 1n));
  });

  test("knows subgraphs, symbols and unknown dimensions", () => {
    const { graph, opsets } = read("every-kind");
    const branch = graph.nodes[1]!.attributes.then_branch;
    expect(branch?.kind === "graph" && branch.value.nodes[0]?.operator).toBe("Add");
    expect(graph.inputs[0]).toMatchObject({ type: "float32", shape: ["N", 2] });
    expect(graph.inputs[1]).toMatchObject({ name: "map", type: null, shape: null });
    expect(graph.values.get("branched")?.shape).toEqual([7]);
    expect(opsets.get("")).toBe(21);
    expect(Object.keys(graph.nodes[2]!.attributes)).toContain("__proto__");
  });

  test("works from a Buffer at an odd place, where no tensor is aligned", () => {
    const model = small();
    const bytes = writeModel(model);
    for (let shift = 1; shift < 8; shift++) {
      const shifted = Buffer.alloc(bytes.length + shift);
      shifted.set(bytes, shift);
      const again = readModel(shifted.subarray(shift));
      expect(weightsDigest(again.graph)).toBe(weightsDigest(model.graph));
      expect(again.metadata.get("key")).toBe("value");
    }
  });

  test("keeps aligned weights where they are in the file", () => {
    const bytes = writeModel(small());
    const { data } = readModel(bytes).graph.initializers.get("weight")!;
    const isAligned = [0, 1, 2, 3].map((shift) => {
      const buffer = new Uint8Array(bytes.length + shift);
      buffer.set(bytes, shift);
      const found = readModel(buffer.subarray(shift)).graph.initializers.get("weight")!;
      return found.data.buffer === buffer.buffer;
    });
    expect(isAligned.filter(Boolean)).toHaveLength(1);
    expect(data.length).toBe(8);
  });
});

test("a value that does not fit the format is refused by a typed error", () => {
  const model = small();
  const [node, ...rest] = model.graph.nodes;
  const nodes = [{ ...node!, attributes: { axis: int(1.5) } }, ...rest];
  expect(() => writeModel({ ...model, graph: { ...model.graph, nodes } })).toThrow(
    expect.objectContaining({ code: "graph-invalid" }),
  );
});
