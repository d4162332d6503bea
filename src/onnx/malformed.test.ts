import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceBytes } from "../../test/support/reference-file.ts";
import { isHilumError } from "../errors.ts";
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  type TensorProtoSchema,
} from "./generated/onnx_pb.ts";
import { readModel, writeModel } from "./index.ts";

type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

const bytesOf = (graph: GraphInit): Uint8Array =>
  toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 10n, graph }));

const withTensor = (tensor: TensorInit): Uint8Array =>
  bytesOf({ initializer: [{ name: "w", ...tensor }] });

const dense = { name: "w", dims: [1n], dataType: 1, floatData: [1] };

/** What is wrong, the bytes, and the place that the message names. */
const MALFORMED: readonly [title: string, bytes: Uint8Array, message: RegExp][] = [
  ["no bytes", new Uint8Array(), /file: it is empty/],
  ["no graph", toBinary(ModelProtoSchema, create(ModelProtoSchema)), /empty/],
  ["only a version", Uint8Array.of(8, 10), /graph: the file holds no graph/],
  ["a JPEG", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0x10), /at byte \d/],
  [
    "a negative dimension",
    withTensor({ dims: [-2n], dataType: 1 }),
    /initializer\[0\] "w": a dimension of \[-2\]/,
  ],
  [
    "absurd dimensions",
    withTensor({ dims: [2n ** 40n, 2n ** 40n], dataType: 1, floatData: [1] }),
    /initializer\[0\] "w": float32 of shape .* needs/,
  ],
  [
    "more dimensions than numbers can count",
    withTensor({ dims: Array.from({ length: 40 }, () => 2n ** 50n), dataType: 1, floatData: [1] }),
    /needs Infinity values/,
  ],
  [
    "too few raw bytes",
    withTensor({ dims: [4n], dataType: 1, rawData: new Uint8Array(12) }),
    /needs 16 bytes, but there are 12/,
  ],
  [
    "too many texts",
    withTensor({ dims: [1n], dataType: 8, stringData: [new Uint8Array(), new Uint8Array()] }),
    /needs 1 texts, but there are 2/,
  ],
  [
    "too few four-bit numbers",
    withTensor({ dims: [5n], dataType: 22, int32Data: [1, 2] }),
    /needs 3 bytes, but there are 2/,
  ],
  [
    "two initializers of one name",
    bytesOf({ initializer: [dense, dense] }),
    /initializer\[1\] "w": the name occurs twice/,
  ],
  [
    "a sparse tensor with too few values",
    bytesOf({ sparseInitializer: [{ values: { ...dense, dims: [3n] }, dims: [9n] }] }),
    /sparse_initializer\[0\] "w": float32 of shape \[3\]/,
  ],
  [
    "an input of negative size",
    bytesOf({
      input: [
        {
          name: "x",
          type: {
            value: {
              case: "tensorType",
              value: { elemType: 1, shape: { dim: [{ value: { case: "dimValue", value: -7n } }] } },
            },
          },
        },
      ],
    }),
    /input\[0\]: "x" has a shape of \[-7\]/,
  ],
  [
    "a node without an operator",
    bytesOf({ node: [{ name: "n" }] }),
    /node\[0\] \( "n"\): it names no operator/,
  ],
  [
    "two attributes of one name",
    bytesOf({
      node: [{ opType: "Conv", name: "stem", attribute: [{ name: "a" }, { name: "a" }] }],
    }),
    /node\[0\] \(Conv "stem"\): attribute "a" occurs twice/,
  ],
  [
    "a constant that does not fill its shape",
    bytesOf({
      node: [
        {
          opType: "Constant",
          name: "c",
          output: ["c"],
          attribute: [{ name: "value", type: 4, t: { dims: [2n], dataType: 1, floatData: [1] } }],
        },
      ],
    }),
    /node\[0\] \(Constant "c"\)\.value: float32 of shape \[2\] needs 2 values/,
  ],
];

describe("a malformed file is refused with its place", () => {
  test.each(MALFORMED)("%s", (_, bytes, message) => {
    expect(() => readModel(bytes)).toThrow(
      expect.objectContaining({
        code: "model-malformed",
        message: expect.stringMatching(message),
      }),
    );
  });
});

/** Reading either works, and then writing and reading do, or it is one of our two codes. */
function readsOrRefuses(bytes: Uint8Array): boolean {
  try {
    const model = readModel(bytes);
    readModel(writeModel(model));
    return true;
  } catch (error) {
    if (!isHilumError(error)) throw error;
    expect(["model-malformed", "model-external-data"]).toContain(error.code);
    expect(error.message).toMatch(/^The model: /);
    expect(error.message).not.toContain("\n");
    return false;
  }
}

const FILES = ["every-kind", "element-types", "control-flow", "conv-net", "typed", "external"].map(
  (name) => referenceBytes(`onnx/${name}.onnx`),
);
const anyFile = fc.constantFrom(...FILES);

describe("whatever happens to a file's bytes", () => {
  test("a truncated file is refused, wherever it ends", () => {
    for (const bytes of [FILES[0]!, FILES[2]!, FILES[3]!]) {
      let whole = 0;
      for (let length = 0; length < bytes.length; length++)
        if (readsOrRefuses(bytes.subarray(0, length))) whole++;
      // Between two fields of the model itself, after the graph, a shorter file is whole too.
      expect(whole).toBeLessThan(12);
    }
  });

  test("changed bytes are read or refused", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(anyFile, changes, (file, edits) => {
        const bytes = file.slice();
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        readsOrRefuses(bytes);
      }),
      { numRuns: 1500, seed: 1 },
    );
  });

  test("bytes cut out or put in are read or refused", () => {
    const change = fc.record({
      at: fc.nat(),
      cut: fc.nat(20),
      added: fc.uint8Array({ maxLength: 20 }),
    });
    fc.assert(
      fc.property(anyFile, change, (file, { at, cut, added }) => {
        const start = at % file.length;
        const end = Math.min(file.length, start + cut);
        readsOrRefuses(
          Uint8Array.from([...file.subarray(0, start), ...added, ...file.subarray(end)]),
        );
      }),
      { numRuns: 800, seed: 2 },
    );
  });

  test("arbitrary bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readsOrRefuses(bytes);
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});
