/** Tensors as plain data: a type, dimensions and a typed array in row-major order. */
import { assert, HilumError } from "../errors.ts";

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** Element types that we compute with. Others are carried through files untouched. */
export type DataType = keyof typeof ARRAYS;
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array;

export interface Tensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

export const DATA_TYPES = Object.keys(ARRAYS) as DataType[];

export function bytesPerElement(type: DataType): number {
  return ARRAYS[type].BYTES_PER_ELEMENT;
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A zero-filled array for `length` elements of the type. */
export function allocate(type: DataType, length: number): TypedArray {
  return new ARRAYS[type](length);
}

/** A view of little-endian bytes as elements of the type; copies only where alignment demands it. */
export function viewBytes(type: DataType, bytes: Uint8Array): TypedArray {
  const width = bytesPerElement(type);
  // Not slice(): that of a Node Buffer is a view at the same unaligned place.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAYS[type](
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    bytes.byteLength / width,
  );
}

/** The tensor's bytes (a view, not a copy), little-endian on every platform that Node runs on. */
export function tensorBytes(tensor: Tensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** Throws `graph-invalid` when the data does not fill the dimensions. */
export function tensor(type: DataType, dims: readonly number[], data: TypedArray): Tensor {
  if (data.length !== sizeOf(dims))
    throw new HilumError(
      "graph-invalid",
      `A ${type} tensor of shape [${dims}] needs ${sizeOf(dims)} values, but ${data.length} were given.`,
    );
  return { type, dims, data };
}

export function float32(dims: readonly number[], values: ArrayLike<number>): Tensor {
  return tensor(
    "float32",
    dims,
    values instanceof Float32Array ? values : Float32Array.from(values),
  );
}

export function int64(dims: readonly number[], values: readonly number[]): Tensor {
  return tensor(
    "int64",
    dims,
    BigInt64Array.from(values, (value) => BigInt(value)),
  );
}

export function filled(dims: readonly number[], value: number): Tensor {
  return { type: "float32", dims, data: new Float32Array(sizeOf(dims)).fill(value) };
}

/** The values as numbers; for small tensors such as shapes, axes and scales. */
export function toNumbers(source: Tensor): number[] {
  assert(
    source.type !== "float16" && source.type !== "bfloat16",
    "half floats are not numbers here",
  );
  return Array.from(source.data as ArrayLike<number | bigint>, Number);
}
