/**
 * TensorBoard event files: TFRecord frames (length, masked CRC-32C, payload, masked CRC-32C) around
 * small protobuf messages. Source: TensorFlow, record_writer.cc and event.proto.
 */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (Castagnoli). Source: RFC 3720, appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function maskedCrc(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const result = Buffer.alloc(4);
  result.writeUInt32LE(masked);
  return result;
}

function frame(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(payload.length));
  return Buffer.concat([length, maskedCrc(length), payload, maskedCrc(payload)]);
}

const TAG = { wallTime: 0x09, step: 0x10, version: 0x1a, summary: 0x2a } as const;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

function delimited(tag: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(payload.length), payload]);
}

function wallTime(seconds: number): Buffer {
  const result = Buffer.alloc(9);
  result[0] = TAG.wallTime;
  result.writeDoubleLE(seconds, 1);
  return result;
}

/** The first record of every event file. */
export function versionEvent(seconds: number): Buffer {
  return frame(
    Buffer.concat([wallTime(seconds), delimited(TAG.version, Buffer.from("brain.Event:2"))]),
  );
}

export interface Scalar {
  readonly tag: string;
  readonly value: number;
  readonly step: number;
  /** Since 1970. */
  readonly seconds: number;
}

/** A record of one scalar (Summary.Value: tag 1, simple_value 2). */
export function scalarEvent({ tag, value, step, seconds }: Scalar): Buffer {
  const simple = Buffer.alloc(5);
  simple[0] = 0x15;
  simple.writeFloatLE(value, 1);
  const summaryValue = Buffer.concat([delimited(0x0a, Buffer.from(tag)), simple]);
  const summary = delimited(0x0a, summaryValue);
  return frame(
    Buffer.concat([
      wallTime(seconds),
      Buffer.from([TAG.step]),
      varint(step),
      delimited(TAG.summary, summary),
    ]),
  );
}
