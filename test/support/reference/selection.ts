/** Operators that pick elements by index, and their opposites that put them back. */
import { intOf, sizeOf, stringOf } from "../../../src/onnx/index.ts";
import {
  eachIndex,
  type NdArray,
  numbersOf,
  offsetOf,
  positiveAxis,
  rearrange,
  withAt,
} from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";

const gather: Kernel = (operation) => {
  const [x, indices] = [operation.input(0), operation.input(1)];
  const axis = positiveAxis(intOf(operation.attributes, "axis", 0), x.dims.length);
  const picked = numbersOf(indices);
  const rank = indices.dims.length;
  const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
  const from = (index: readonly number[]) => {
    const which = picked[offsetOf(indices.dims, index.slice(axis, axis + rank))]!;
    const place = positiveAxis(which, x.dims[axis]!);
    return offsetOf(x.dims, [...index.slice(0, axis), place, ...index.slice(axis + rank)]);
  };
  return [rearrange(x, dims, from)];
};

const gatherElements: Kernel = (operation) => {
  const [x, indices] = [operation.input(0), operation.input(1)];
  const axis = positiveAxis(intOf(operation.attributes, "axis", 0), x.dims.length);
  const picked = numbersOf(indices);
  const from = (index: readonly number[], offset: number) =>
    offsetOf(x.dims, withAt(index, axis, positiveAxis(picked[offset]!, x.dims[axis]!)));
  return [rearrange(x, indices.dims, from)];
};

/** Writes or adds `value` at `place`. */
function put(target: NdArray, place: number, value: number | bigint, operation: Operation): void {
  const isAdding = stringOf(operation.attributes, "reduction", "none") === "add";
  const { data } = target;
  if (!isAdding) data[place] = value;
  else if (data instanceof BigInt64Array) data[place]! += BigInt(value);
  else data[place]! += Number(value);
}

const scatterElements: Kernel = (operation) => {
  const [x, indices, updates] = [operation.input(0), operation.input(1), operation.input(2)];
  const axis = positiveAxis(intOf(operation.attributes, "axis", 0), x.dims.length);
  const places = numbersOf(indices);
  const result = { ...x, data: x.data.slice() };
  eachIndex(indices.dims, (index, offset) => {
    const place = withAt(index, axis, positiveAxis(places[offset]!, x.dims[axis]!));
    put(result, offsetOf(x.dims, place), updates.data[offset]!, operation);
  });
  return [result];
};

const scatterND: Kernel = (operation) => {
  const [x, indices, updates] = [operation.input(0), operation.input(1), operation.input(2)];
  const depth = indices.dims.at(-1)!;
  const block = sizeOf(x.dims.slice(depth));
  const places = numbersOf(indices);
  const result = { ...x, data: x.data.slice() };
  for (let row = 0; row < places.length / depth; row++) {
    const index = Array.from(places.subarray(row * depth, (row + 1) * depth), (place, axis) =>
      positiveAxis(place, x.dims[axis]!),
    );
    const start = offsetOf(x.dims.slice(0, depth), index) * block;
    for (let i = 0; i < block; i++)
      put(result, start + i, updates.data[row * block + i]!, operation);
  }
  return [result];
};

export const SELECTION_KERNELS: KernelTable = {
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
};
