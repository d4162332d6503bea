/**
 * A look at a file's bytes before they are decoded. The decoder trusts lengths, reads a field of
 * the wrong kind as if it were right, and makes an object of hundreds of bytes from every two that
 * a hostile file spends; here every length must lie within its message, every field must have its
 * kind, and what the objects would take must fit in memory. Source: protobuf.dev, Encoding.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { malformed, type ReadOptions } from "./malformed.ts";

const DEEPEST = 100;
/** What decoding may take, by a rough estimate: half of the smallest heap that Node starts with. */
const LARGEST_HEAP = 2 ** 30;
const HEAP = { message: 1024, bytes: 160, text: 32, integer64: 40, number: 8 } as const;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** A field that the schema knows: its kind on the wire and what becomes of one value. */
interface Field {
  readonly name: string;
  readonly isList: boolean;
  readonly wire: number;
  readonly message: DescMessage | undefined;
  readonly isText: boolean;
  readonly heap: number;
}

const FIXED_WIDTHS: Readonly<Record<number, number>> = { [FIXED32]: 4, [FIXED64]: 8 };
const TEXT = new TextDecoder("utf-8", { fatal: true });

/** Throws `model-malformed` with the place in the message and the byte where the trouble begins. */
export function checkWire(bytes: Uint8Array, schema: DescMessage, options: ReadOptions): void {
  const tables = new Map<DescMessage, ReadonlyMap<number, Field>>();
  const path: string[] = [];
  let position = 0;
  let heap = 0;

  const fail = (problem: string): never =>
    malformed({ path: path.join(".") || "file", options }, `${problem} (at byte ${position})`);

  const spend = (amount: number): void => {
    heap += amount;
    if (heap > LARGEST_HEAP)
      fail("up to here it already describes more structure than fits in memory");
  };

  const varint = (end: number): number => {
    let value = 0;
    for (let scale = 1, length = 0; length < 10; length++, scale *= 128) {
      if (position >= end) fail("the file or message ends within a number");
      const byte = bytes[position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return fail("a number has more than ten bytes");
  };

  const skip = (length: number, end: number): void => {
    if (length > end - position)
      fail(`${length} bytes are announced, but only ${end - position} are left`);
    position += length;
  };

  const packed = (field: Field, end: number): void => {
    const width = FIXED_WIDTHS[field.wire];
    const length = end - position;
    if (width !== undefined) {
      if (length % width !== 0) fail(`${length} bytes are no list of ${width}-byte numbers`);
      spend((length / width) * field.heap);
      position = end;
      return;
    }
    while (position < end) {
      varint(end);
      spend(field.heap);
    }
  };

  const known = (field: Field, wire: number, end: number, depth: number): void => {
    const isPacked = wire === LENGTH && field.isList && field.wire !== LENGTH;
    if (wire !== field.wire && !isPacked) fail(`wire type ${wire} is not that of the field`);
    if (wire !== LENGTH) {
      spend(field.heap);
      if (wire === VARINT) varint(end);
      else skip(FIXED_WIDTHS[wire]!, end);
      return;
    }
    const length = varint(end);
    const start = position;
    skip(length, end);
    const stop = position;
    if (field.isText) {
      spend(field.heap + length);
      if (!isUtf8(bytes.subarray(start, stop))) fail("a text is not UTF-8");
      return;
    }
    if (!isPacked) spend(field.heap);
    if (!isPacked && !field.message) return;
    position = start;
    if (isPacked) packed(field, stop);
    else message(field.message!, stop, depth + 1);
  };

  const unknown = (wire: number, number: number, end: number, depth: number): void => {
    spend(HEAP.bytes);
    if (wire === VARINT) varint(end);
    else if (wire === LENGTH) skip(varint(end), end);
    else if (wire === GROUP) group(number, end, depth + 1);
    else if (FIXED_WIDTHS[wire]) skip(FIXED_WIDTHS[wire], end);
    else fail(`there is no wire type ${wire} here`);
  };

  const tag = (end: number): readonly [field: number, wire: number] => {
    const value = varint(end);
    const number = Math.floor(value / 8);
    if (number === 0 || value > 0xffffffff) fail(`${number} is no field number`);
    return [number, value % 8];
  };

  const group = (number: number, end: number, depth: number): void => {
    if (depth > DEEPEST) fail(`it is nested more than ${DEEPEST} deep`);
    for (;;) {
      const [inner, wire] = tag(end);
      if (wire === GROUP_END && inner === number) return;
      unknown(wire, inner, end, depth);
    }
  };

  const message = (type: DescMessage, end: number, depth: number): void => {
    if (depth > DEEPEST) fail(`it is nested more than ${DEEPEST} deep`);
    const fields = tables.get(type) ?? fieldTable(type);
    tables.set(type, fields);
    const counts = new Map<Field, number>();
    while (position < end) {
      const [number, wire] = tag(end);
      const field = fields.get(number);
      if (!field) {
        unknown(wire, number, end, depth);
        continue;
      }
      const count = counts.get(field) ?? 0;
      if (field.isList) counts.set(field, count + 1);
      path.push(field.isList ? `${field.name}[${count}]` : field.name);
      known(field, wire, end, depth);
      path.pop();
    }
  };

  message(schema, bytes.length, 1);
}

function fieldTable(type: DescMessage): ReadonlyMap<number, Field> {
  return new Map(type.fields.map((field) => [field.number, fieldOf(field)]));
}

function fieldOf(field: DescField): Field {
  const scalar =
    field.scalar ?? (field.message === undefined ? ScalarType.INT32 : ScalarType.BYTES);
  const isText = scalar === ScalarType.STRING;
  const isBytes = scalar === ScalarType.BYTES;
  const isInteger64 = scalar === ScalarType.INT64 || scalar === ScalarType.UINT64;
  const wires = { [ScalarType.FLOAT]: FIXED32, [ScalarType.DOUBLE]: FIXED64 } as const;
  const number = Reflect.get(wires, scalar) ?? VARINT;
  return {
    name: field.name,
    isList: field.fieldKind === "list",
    wire: isText || isBytes ? LENGTH : number,
    message: field.message,
    isText,
    heap: field.message
      ? HEAP.message
      : isText
        ? HEAP.text
        : isBytes
          ? HEAP.bytes
          : isInteger64
            ? HEAP.integer64
            : HEAP.number,
  };
}

function isUtf8(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte < 0x80)) return true;
  try {
    TEXT.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
