import { describe, expect, test } from "vitest";
import { ModelProtoSchema } from "./generated/onnx_pb.ts";
import { readModel } from "./read.ts";
import { checkWire } from "./wire.ts";

const check = (...bytes: number[]) => checkWire(Uint8Array.from(bytes), ModelProtoSchema, {});

/** A length-delimited field around `contents`. */
function field(number: number, contents: Uint8Array): Uint8Array {
  const head = [...varint(number * 8 + 2), ...varint(contents.length)];
  const bytes = new Uint8Array(head.length + contents.length);
  bytes.set(head);
  bytes.set(contents, head.length);
  return bytes;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const GRAPH = 7;

describe("the look at the bytes", () => {
  test("accepts known and unknown fields of every kind", () => {
    // ir_version, an unknown number, text, two fixed widths and a group with one field in it.
    check(0x08, 10, 0xa0, 0x06, 1, 0xa2, 0x06, 1, 65, 0xa5, 0x06, 1, 2, 3, 4);
    check(0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa3, 0x06, 0x08, 1, 0xa4, 0x06);
  });

  test.each([
    ["a number that does not end", [0x08, 0x80], /ir_version: .*ends within a number/],
    ["a number of eleven bytes", [0x08, ...new Array(11).fill(0x80), 1], /more than ten bytes/],
    ["a text that runs over the end", [0x12, 5, 65], /producer_name: 5 bytes are announced/],
    ["a field of the wrong kind", [0x0a, 1, 65], /ir_version: wire type 2 is not that/],
    ["field number zero", [0x00, 1], /0 is no field number/],
    ["a kind that does not exist", [0xa6, 0x06], /no wire type 6/],
    ["a group that does not end", [0xa3, 0x06, 0x08, 1], /ends within a number/],
    ["the end of a group that did not begin", [0xa4, 0x06], /no wire type 4/],
    ["a text that is not UTF-8", [0x12, 1, 0xff], /producer_name: a text is not UTF-8/],
    ["a node that runs over its graph", [0x3a, 3, 0x0a, 9, 0], /graph.node\[0\]: 9 bytes are/],
    ["half a float in a list", [0x3a, 7, 0x2a, 5, 0x22, 3, 0, 0, 0], /float_data\[0\]: 3 bytes/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => check(...bytes)).toThrow(
      expect.objectContaining({
        code: "model-malformed",
        message: expect.stringMatching(message),
      }),
    );
  });

  test("refuses what is nested too deep, in messages and in groups", () => {
    // Node 1, attribute 5, graph 6, and so on.
    let graph = new Uint8Array();
    for (let depth = 0; depth < 40; depth++)
      graph = Uint8Array.from(field(1, field(5, field(6, graph))));
    expect(() => readModel(field(GRAPH, graph))).toThrow(/nested more than 100 deep/);
    const groups = Uint8Array.from(new Array(100_000).fill([0xa3, 0x06]).flat());
    expect(() => readModel(groups)).toThrow(/nested more than 100 deep/);
  });

  test("refuses two million nodes of two bytes each before they fill the memory", () => {
    const nodes = new Uint8Array(4_000_000);
    for (let at = 0; at < nodes.length; at += 2) nodes[at] = 0x0a;
    expect(() => readModel(field(GRAPH, nodes))).toThrow(/more structure than fits in memory/);
  });

  test("refuses sixty million packed numbers, but no raw bytes", () => {
    const numbers = field(GRAPH, field(5, field(7, new Uint8Array(60_000_000))));
    expect(() => readModel(numbers)).toThrow(/int64_data.*more structure than fits in memory/);
    checkWire(field(GRAPH, field(5, field(9, new Uint8Array(1000)))), ModelProtoSchema, {});
  });
});
