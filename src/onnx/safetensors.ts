/** The safetensors format: 8 bytes of header length, a JSON header, then raw tensors. */
import { HilumError } from "../errors.ts";
import {
  bytesPerElement,
  type DataType,
  sizeOf,
  type Tensor,
  tensorBytes,
  viewBytes,
} from "./tensor.ts";

const TYPES: ReadonlyMap<string, DataType> = new Map(
  Object.entries({
    F32: "float32",
    F64: "float64",
    F16: "float16",
    BF16: "bfloat16",
    U8: "uint8",
    I8: "int8",
    U16: "uint16",
    I16: "int16",
    U32: "uint32",
    I32: "int32",
    U64: "uint64",
    I64: "int64",
    BOOL: "bool",
  }),
);
const DTYPES: ReadonlyMap<DataType, string> = new Map(
  [...TYPES].map(([dtype, type]) => [type, dtype]),
);
const METADATA = "__metadata__";
const LARGEST_HEADER = 100_000_000;

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of a safetensors file. Wide elements come first, so that every tensor is aligned
 * without gaps, which the format forbids.
 */
export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  if (tensors.has(METADATA))
    throw new HilumError(
      "weights-malformed",
      `No tensor in a safetensors file can be called "${METADATA}". Rename it.`,
      { name: METADATA },
    );
  const ordered = [...tensors].sort(
    ([, a], [, b]) => bytesPerElement(b.type) - bytesPerElement(a.type),
  );
  let end = 0;
  const entries = ordered.map(([name, { type, dims, data }]) => {
    const start = end;
    end += data.byteLength;
    return [name, { dtype: DTYPES.get(type), shape: dims, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({ [METADATA]: metadata, ...Object.fromEntries(entries) });
  const encoded = new TextEncoder().encode(text);
  const header = new Uint8Array(Math.ceil(encoded.length / 8) * 8).fill(0x20);
  header.set(encoded);
  const file = new Uint8Array(8 + header.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let offset = 8 + header.length;
  for (const [, tensor] of ordered) {
    file.set(tensorBytes(tensor), offset);
    offset += tensor.data.byteLength;
  }
  return file;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The tensors of a safetensors file. Throws `weights-malformed` naming what is wrong. */
export function readSafetensors(bytes: Uint8Array, name = "The file"): Safetensors {
  const fail = (problem: string): never => {
    throw new HilumError(
      "weights-malformed",
      `${name} is not a whole safetensors file: ${problem}. Make or download it again.`,
      { file: name, problem },
    );
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > Math.min(LARGEST_HEADER, bytes.length - 8))
    fail(`its header claims ${length} bytes`);
  const { metadata, entries } = parsedHeader(bytes.subarray(8, 8 + length), fail);
  const body = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  let end = 0;
  for (const [key, { dtype, shape, data_offsets: offsets }] of entries) {
    const type = TYPES.get(dtype) ?? fail(`"${key}" has type ${dtype}, which is not known`);
    if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
      fail(`"${key}" has no sound shape`);
    if (offsets[0] !== end || offsets[1] < end || offsets[1] > body.length)
      fail(`"${key}" lies at ${offsets}, after byte ${end} of ${body.length}`);
    if (offsets[1] - offsets[0] !== sizeOf(shape) * bytesPerElement(type))
      fail(`"${key}" of shape [${shape}] does not fill its ${offsets[1] - offsets[0]} bytes`);
    tensors.set(key, { type, dims: shape, data: viewBytes(type, body.subarray(...offsets)) });
    end = offsets[1];
  }
  if (end !== body.length) fail(`${body.length - end} bytes belong to no tensor`);
  return { tensors, metadata };
}

/** The header's tensors in the order of their places in the file. */
function parsedHeader(
  bytes: Uint8Array,
  fail: (problem: string) => never,
): { metadata: Record<string, string>; entries: [string, Entry][] } {
  const header = parsedJson(bytes);
  if (!isRecord(header)) return fail("its header is not a JSON object");
  const { [METADATA]: metadata = {}, ...rest } = header;
  if (!isTexts(metadata)) return fail("its metadata are not texts");
  const entries = Object.entries(rest).map(([key, value]): [string, Entry] =>
    isEntry(value) ? [key, value] : fail(`"${key}" has no type, shape and two offsets`),
  );
  const byPlace = ([, a]: [string, Entry], [, b]: [string, Entry]) =>
    a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1];
  return { metadata, entries: entries.sort(byPlace) };
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  const isOffsets =
    Array.isArray(offsets) && offsets.length === 2 && offsets.every(Number.isSafeInteger);
  return typeof dtype === "string" && Array.isArray(shape) && isOffsets;
}
