/** Reductions, over the list of elements that each result gathers. */
import { intOf, intsOf, sizeOf } from "../../../src/onnx/index.ts";
import { eachIndex, type NdArray, numbersOf, offsetOf, positiveAxis, tabulate } from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const squares = (values: readonly number[]): number => sum(values.map((x) => x * x));

/** The result of `reduce` on the elements along `axes`, which stay as 1. */
export function reduceAlong(
  x: NdArray,
  axes: readonly number[],
  reduce: (values: readonly number[]) => number,
): NdArray {
  const values = numbersOf(x);
  const dims = x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const gathered: number[][] = Array.from({ length: sizeOf(dims) }, () => []);
  eachIndex(x.dims, (index, offset) => {
    const place = index.map((position, axis) => (axes.includes(axis) ? 0 : position));
    gathered[offsetOf(dims, place)]!.push(values[offset]!);
  });
  let next = 0;
  return tabulate(x.type, dims, () => reduce(gathered[next++]!));
}

function axesOf(operation: Operation, rank: number): number[] {
  const given = operation.numbers(1) ?? intsOf(operation.attributes, "axes") ?? [];
  if (given.length > 0) return given.map((axis) => positiveAxis(axis, rank));
  const isNoop = intOf(operation.attributes, "noop_with_empty_axes", 0) === 1;
  return isNoop ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

function keptOrDropped(result: NdArray, axes: readonly number[], operation: Operation): NdArray {
  if (intOf(operation.attributes, "keepdims", 1) === 1) return result;
  return { ...result, dims: result.dims.filter((_, axis) => !axes.includes(axis)) };
}

const reduction =
  (reduce: (values: readonly number[]) => number): Kernel =>
  (operation) => {
    const x = operation.input(0);
    const axes = axesOf(operation, x.dims.length);
    return [keptOrDropped(reduceAlong(x, axes, reduce), axes, operation)];
  };

/** The first position of the extreme element. */
const position =
  (extreme: (...values: number[]) => number): Kernel =>
  (operation) => {
    const x = operation.input(0);
    const axis = positiveAxis(intOf(operation.attributes, "axis", 0), x.dims.length);
    const found = reduceAlong({ ...x, type: "float64" }, [axis], (values) =>
      values.indexOf(extreme(...values)),
    );
    const data = BigInt64Array.from(numbersOf(found), BigInt);
    return [keptOrDropped({ type: "int64", dims: found.dims, data }, [axis], operation)];
  };

export const REDUCTION_KERNELS: KernelTable = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction((values) => sum(values) / values.length),
  ReduceMax: reduction((values) => Math.max(...values)),
  ReduceMin: reduction((values) => Math.min(...values)),
  ReduceSumSquare: reduction(squares),
  ReduceL1: reduction((values) => sum(values.map(Math.abs))),
  ReduceL2: reduction((values) => Math.sqrt(squares(values))),
  ReduceLogSumExp: reduction((values) => {
    const top = Math.max(...values);
    return top + Math.log(sum(values.map((x) => Math.exp(x - top))));
  }),
  ReduceProd: reduction((values) => values.reduce((a, b) => a * b, 1)),
  ArgMax: position(Math.max),
  ArgMin: position(Math.min),
};
