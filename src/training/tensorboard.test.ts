import { describe, expect, it } from "vitest";
import type { EpochRecord } from "./checkpoint.ts";
import { eventFile } from "./history.ts";
import { crc32c } from "./tensorboard.ts";

describe("crc32c", () => {
  it("equals the examples of RFC 3720, appendix B.4", () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(ascending)).toBe(0x46dd794e);
    expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  });
});

interface Event {
  wallTime?: number;
  step?: number;
  version?: string;
  tag?: string;
  value?: number;
}

/** Payloads of the frames, both checksums of each verified by unmasking them. */
function framesOf(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  const expectChecksum = (bytes: Buffer, at: number) => {
    const unshifted = (file.readUInt32LE(at) - 0xa282ead8) >>> 0;
    expect(((unshifted << 15) | (unshifted >>> 17)) >>> 0).toBe(crc32c(bytes));
  };
  for (let offset = 0; offset < file.length; ) {
    const length = Number(file.readBigUInt64LE(offset));
    expectChecksum(file.subarray(offset, offset + 8), offset + 8);
    const payload = file.subarray(offset + 12, offset + 12 + length);
    expectChecksum(payload, offset + 12 + length);
    frames.push(payload);
    offset += 16 + length;
  }
  return frames;
}

/** The fields of a protobuf message by number, of the wire types that events have. */
function fieldsOf(message: Buffer): Map<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let offset = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[offset++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (offset < message.length) {
    const tag = varint();
    const length = { 0: 0, 1: 8, 5: 4 }[tag & 7] ?? varint();
    fields.set(tag >> 3, length === 0 ? varint() : message.subarray(offset, offset + length));
    offset += length;
  }
  return fields;
}

function eventOf(payload: Buffer): Event {
  const fields = fieldsOf(payload);
  const bytes = (map: Map<number, Buffer | number>, number: number) => map.get(number) as Buffer;
  const event: Event = { wallTime: bytes(fields, 1).readDoubleLE() };
  if (fields.has(3)) event.version = bytes(fields, 3).toString();
  if (!fields.has(5)) return event;
  const scalar = fieldsOf(bytes(fieldsOf(bytes(fields, 5)), 1));
  return {
    ...event,
    step: fields.get(2) as number,
    tag: bytes(scalar, 1).toString(),
    value: bytes(scalar, 2).readFloatLE(),
  };
}

const record = (epoch: number): EpochRecord => ({
  epoch,
  loss: 0.5 / epoch,
  valLoss: 0.75,
  metrics: { auroc: 0.875, npv: null },
  learningRate: 0.25,
  seconds: 3,
  imagesPerSecond: 64,
  time: 1_700_000_000.5 + epoch,
});

describe("eventFile", () => {
  it("begins with the version and holds every scalar that is defined", () => {
    const events = framesOf(Buffer.from(eventFile([record(1), record(300)]))).map(eventOf);
    expect(events[0]).toEqual({ wallTime: 1_700_000_001.5, version: "brain.Event:2" });
    const at = (step: number) =>
      Object.fromEntries(
        events.filter((event) => event.step === step).map(({ tag, value }) => [tag, value]),
      );
    expect(at(1)).toEqual({
      "loss/train": 0.5,
      "loss/validation": 0.75,
      learning_rate: 0.25,
      images_per_second: 64,
      "validation/auroc": 0.875,
    });
    expect(at(300)["loss/train"]).toBe(Math.fround(0.5 / 300));
    expect(events.at(-1)!.wallTime).toBe(1_700_000_300.5);
  });

  it("of a longer history begins with the file of the shorter one", () => {
    const short = Buffer.from(eventFile([record(1)]));
    const long = Buffer.from(eventFile([record(1), record(2)]));
    expect(long.subarray(0, short.length)).toEqual(short);
  });
});
