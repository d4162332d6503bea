/**
 * Arrays of the reference evaluator: every floating type in double precision, int64 and uint64 as
 * bigint, all other integers and booleans (0 and 1) as whole doubles. Row-major.
 */
import { allocate, type DataType, sizeOf, type Tensor } from "../../../src/onnx/index.ts";

export type Elements = Float64Array | BigInt64Array;

export interface NdArray {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: Elements;
}

export const isWide = (type: DataType): boolean => type === "int64" || type === "uint64";

export function emptyElements(type: DataType, size: number): Elements {
  return isWide(type) ? new BigInt64Array(size) : new Float64Array(size);
}

/** From a tensor, or anything with dimensions and a list of numbers. */
export function arrayOf(
  type: DataType,
  source: { readonly dims: readonly number[]; readonly data: ArrayLike<number | bigint> },
): NdArray {
  const data = isWide(type)
    ? BigInt64Array.from(Array.from(source.data, BigInt))
    : Float64Array.from(Array.from(source.data, Number));
  return { type, dims: source.dims, data };
}

/** As the runtime's tensor, floats rounded to single precision. */
export function tensorOf({ type, dims, data }: NdArray): Tensor {
  const elements = allocate(type, data.length);
  if (data instanceof BigInt64Array) (elements as BigInt64Array).set(data);
  else (elements as Float64Array).set(data);
  return { type, dims, data: elements };
}

/** The elements as numbers: for floats the data itself, for int64 converted. */
export function numbersOf({ data }: Pick<NdArray, "data">): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data, Number);
}

/** An array whose element at an index is `compute(index)`. The index array is reused. */
export function tabulate(
  type: DataType,
  dims: readonly number[],
  compute: (index: readonly number[]) => number,
): NdArray {
  const data = new Float64Array(sizeOf(dims));
  eachIndex(dims, (index, offset) => {
    data[offset] = compute(index);
  });
  return arrayOf(type, { dims, data });
}

/** The elements of `x` in other places: `from` gives the offset into x, or null for `filler`. */
export function rearrange(
  x: NdArray,
  dims: readonly number[],
  from: (index: readonly number[], offset: number) => number | null,
  filler: number | bigint = x.data instanceof BigInt64Array ? 0n : 0,
): NdArray {
  const data = emptyElements(x.type, sizeOf(dims));
  eachIndex(dims, (index, offset) => {
    const source = from(index, offset);
    data[offset] = source === null ? filler : x.data[source]!;
  });
  return { type: x.type, dims, data };
}

/** Visits every index in row-major order, with its offset. The index array is reused. */
export function eachIndex(
  dims: readonly number[],
  visit: (index: readonly number[], offset: number) => void,
): void {
  const size = sizeOf(dims);
  const index = dims.map(() => 0);
  for (let offset = 0; offset < size; offset++) {
    visit(index, offset);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < dims[axis]!) break;
      index[axis] = 0;
    }
  }
}

export function offsetOf(dims: readonly number[], index: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < dims.length; axis++) offset = offset * dims[axis]! + index[axis]!;
  return offset;
}

export function withAt(index: readonly number[], axis: number, value: number): number[] {
  return index.map((position, i) => (i === axis ? value : position));
}

/** Numpy's rule: right-aligned, each dimension equal or 1. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1);
    const size = sizes.find((candidate) => candidate !== 1) ?? 1;
    if (sizes.some((candidate) => candidate !== 1 && candidate !== size))
      throw new RangeError(
        `shapes ${shapes.map((dims) => `[${dims}]`).join(" ")} do not broadcast`,
      );
    return size;
  });
}

/** The offset into an operand of shape `dims` that a broadcast result's index reads. */
export function broadcastOffset(dims: readonly number[], index: readonly number[]): number {
  const lead = index.length - dims.length;
  let offset = 0;
  for (let axis = 0; axis < dims.length; axis++)
    offset = offset * dims[axis]! + (dims[axis] === 1 ? 0 : index[axis + lead]!);
  return offset;
}

export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The same elements under other dimensions. */
export const reshaped = (x: NdArray, dims: readonly number[]): NdArray => ({ ...x, dims });
