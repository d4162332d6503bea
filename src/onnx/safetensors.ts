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

const NAMES: Readonly<Record<string, DataType>> = {
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
};
const LARGEST_HEADER = 100_000_000;

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes of a safetensors file; tensors start at multiples of eight. */
export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  let end = 0;
  const entries = [...tensors].map(([name, tensor]) => {
    const start = end;
    end += tensor.data.byteLength;
    const dtype = Object.keys(NAMES).find((key) => NAMES[key] === tensor.type);
    return [name, { dtype, shape: tensor.dims, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const encoded = new TextEncoder().encode(text);
  const header = new Uint8Array(Math.ceil(encoded.length / 8) * 8).fill(0x20);
  header.set(encoded);
  const file = new Uint8Array(8 + header.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let offset = 8 + header.length;
  for (const tensor of tensors.values()) {
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
  const { __metadata__: metadata = {}, ...entries } = parsedHeader(
    bytes.subarray(8, 8 + length),
    fail,
  );
  const body = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  let end = 0;
  for (const [key, value] of Object.entries(entries).sort(byStart)) {
    const { dtype, shape, data_offsets: offsets } = value as Entry;
    const type = NAMES[dtype] ?? fail(`"${key}" has type ${dtype}, which is not known`);
    const isShape =
      Array.isArray(shape) && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
    if (!isShape) fail(`"${key}" has no sound shape`);
    if (offsets[0] !== end || offsets[1] < end || offsets[1] > body.length)
      fail(`"${key}" lies at ${offsets}, after byte ${end} of ${body.length}`);
    if (offsets[1] - offsets[0] !== sizeOf(shape) * bytesPerElement(type))
      fail(`"${key}" of shape [${shape}] does not fill its ${offsets[1] - offsets[0]} bytes`);
    tensors.set(key, { type, dims: shape, data: viewBytes(type, body.subarray(...offsets)) });
    end = offsets[1];
  }
  if (end !== body.length) fail(`${body.length - end} bytes belong to no tensor`);
  return { tensors, metadata: metadata as Record<string, string> };
}

function byStart([, a]: [string, unknown], [, b]: [string, unknown]): number {
  const start = (entry: unknown) => (entry as Partial<Entry> | null)?.data_offsets?.[0] ?? 0;
  return start(a) - start(b);
}

function parsedHeader(
  bytes: Uint8Array,
  fail: (problem: string) => never,
): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) {
      const isSound = Object.entries(header).every(
        ([key, value]) => key === "__metadata__" || isEntry(value),
      );
      if (isSound) return header as Record<string, unknown>;
    }
  } catch {}
  return fail("its header is not JSON of tensors");
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<Entry>;
  const isOffsets =
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every((offset) => Number.isSafeInteger(offset));
  return typeof dtype === "string" && Array.isArray(shape) && isOffsets;
}
