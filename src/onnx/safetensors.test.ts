import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHilumError } from "../errors.ts";
import { readSafetensors, writeSafetensors } from "./index.ts";
import { allocate, DATA_TYPES, type Tensor } from "./tensor.ts";

/** A file with this header and body. */
function fileOf(header: unknown, body: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

const anyTensor = fc
  .record({ type: fc.constantFrom(...DATA_TYPES), dims: fc.array(fc.nat(4), { maxLength: 3 }) })
  .map(({ type, dims }): Tensor => {
    const data = allocate(
      type,
      dims.reduce((product, dim) => product * dim, 1),
    );
    const bytes = new Uint8Array(data.buffer);
    for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 37 + 1) % 120;
    return { type, dims, data };
  });
const anyFile = fc.record({
  tensors: fc
    .array(
      fc.tuple(
        fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
        anyTensor,
      ),
    )
    .map((entries) => new Map(entries)),
  metadata: fc.dictionary(fc.string(), fc.string()).map((texts) => ({ ...texts })),
});

test("what is written is read again, with every name and type", () => {
  fc.assert(
    fc.property(anyFile, fc.nat(7), (file, shift) => {
      const bytes = writeSafetensors(file);
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      const read = readSafetensors(shifted.subarray(shift));
      expect(new Map([...read.tensors].sort())).toEqual(new Map([...file.tensors].sort()));
      expect(read.metadata).toEqual(file.metadata);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("every tensor starts at a multiple of its element's width", () => {
  const tensors = new Map<string, Tensor>([
    ["bytes", { type: "uint8", dims: [3], data: Uint8Array.of(1, 2, 3) }],
    ["wide", { type: "float64", dims: [1], data: Float64Array.of(0.5) }],
    ["__proto__", { type: "float32", dims: [], data: Float32Array.of(7) }],
  ]);
  const { tensors: read } = readSafetensors(writeSafetensors({ tensors, metadata: {} }));
  expect([...read.keys()]).toEqual(["wide", "__proto__", "bytes"]);
  for (const [name, { data }] of read) {
    expect(data.byteOffset % data.BYTES_PER_ELEMENT).toBe(0);
    expect(data).toEqual(tensors.get(name)?.data);
  }
});

test("the file of the format's description is read", () => {
  const header =
    '{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}   ';
  const { tensors, metadata } = readSafetensors(fileOf(header, Uint8Array.of(1, 0, 255, 255)));
  expect(tensors.get("a")).toEqual({ type: "int16", dims: [2], data: Int16Array.of(1, -1) });
  expect(metadata).toEqual({ k: "v" });
});

const entry = (over: object = {}) => ({
  w: { dtype: "F32", shape: [1], data_offsets: [0, 4], ...over },
});
const four = new Uint8Array(4);

describe("a file is refused that", () => {
  test.each<[string, Uint8Array, RegExp]>([
    ["is empty", new Uint8Array(), /it has 0 bytes/],
    [
      "claims a longer header",
      Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0x7b),
      /its header claims/,
    ],
    ["has no JSON", fileOf("{", four), /its header is not a JSON object/],
    ["has a list for a header", fileOf([], four), /its header is not a JSON object/],
    [
      "is not UTF-8",
      Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff),
      /its header is not a JSON object/,
    ],
    [
      "has an unknown type",
      fileOf(entry({ dtype: "constructor" }), four),
      /"w" has type constructor/,
    ],
    ["has a type that is no text", fileOf(entry({ dtype: 4 }), four), /"w" has no type, shape/],
    ["has a negative dimension", fileOf(entry({ shape: [-1] }), four), /"w" has no sound shape/],
    ["has half a dimension", fileOf(entry({ shape: [0.5] }), four), /"w" has no sound shape/],
    ["has absurd dimensions", fileOf(entry({ shape: [2 ** 52, 2 ** 52] }), four), /does not fill/],
    ["does not fill its shape", fileOf(entry({ shape: [2] }), four), /does not fill its 4 bytes/],
    ["runs over the end", fileOf(entry({ data_offsets: [0, 8], shape: [2] }), four), /lies at 0,8/],
    ["begins before the data", fileOf(entry({ data_offsets: [-4, 0] }), four), /lies at -4,0/],
    ["ends before it begins", fileOf(entry({ data_offsets: [0, -4] }), four), /lies at 0,-4/],
    ["has a gap", fileOf(entry({ data_offsets: [4, 8] }), new Uint8Array(8)), /after byte 0 of 8/],
    ["has bytes to spare", fileOf(entry(), new Uint8Array(5)), /1 bytes belong to no tensor/],
    ["overlaps", fileOf({ ...entry(), v: entry().w }, four), /"v" lies at 0,4, after byte 4/],
    ["has a number for metadata", fileOf({ __metadata__: { a: 1 } }), /its metadata are not texts/],
  ])("%s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes, "x.safetensors")).toThrow(
      expect.objectContaining({
        code: "weights-malformed",
        message: expect.stringMatching(message),
      }),
    );
  });
});

test("no tensor can have the name of the metadata", () => {
  const tensors = new Map([
    ["__metadata__", { type: "uint8" as const, dims: [0], data: new Uint8Array() }],
  ]);
  expect(() => writeSafetensors({ tensors, metadata: {} })).toThrow(
    expect.objectContaining({ code: "weights-malformed" }),
  );
});

test("changed bytes are read or refused", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyFile, edits, fc.nat(), (file, changes, cut) => {
      const whole = writeSafetensors(file);
      for (const [at, value] of changes) whole[at % Math.min(whole.length, 200)] = value;
      for (const bytes of [whole, whole.subarray(0, cut % whole.length)])
        try {
          readSafetensors(bytes);
        } catch (error) {
          expect(isHilumError(error) && error.code).toBe("weights-malformed");
        }
    }),
    { numRuns: 500, seed: 2 },
  );
});
