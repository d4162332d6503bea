/** Operators that move or select elements: each says where a result's element comes from. */
import { intOf, intsOf, sizeOf, stringOf } from "../../../src/onnx/index.ts";
import {
  arrayOf,
  broadcastDims,
  broadcastOffset,
  eachIndex,
  type NdArray,
  offsetOf,
  positiveAxis,
  rearrange,
  reshaped,
  tabulate,
  withAt,
} from "./array.ts";
import type { Kernel, KernelTable } from "./kernel.ts";

const reshape: Kernel = (operation) => {
  const x = operation.input(0);
  const isZeroKept = intOf(operation.attributes, "allowzero", 0) === 0;
  const wanted = operation
    .numbers(1)!
    .map((size, axis) => (size === 0 && isZeroKept ? x.dims[axis]! : size));
  const known = sizeOf(wanted.filter((size) => size !== -1));
  return [
    reshaped(
      x,
      wanted.map((size) => (size === -1 ? sizeOf(x.dims) / known : size)),
    ),
  ];
};

const flatten: Kernel = (operation) => {
  const x = operation.input(0);
  const axis = positiveAxis(intOf(operation.attributes, "axis", 1), x.dims.length);
  return [reshaped(x, [sizeOf(x.dims.slice(0, axis)), sizeOf(x.dims.slice(axis))])];
};

const squeeze: Kernel = (operation) => {
  const x = operation.input(0);
  const given = operation.numbers(1);
  const axes = given?.map((axis) => positiveAxis(axis, x.dims.length));
  const dims = x.dims.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1));
  return [reshaped(x, dims)];
};

const unsqueeze: Kernel = (operation) => {
  const x = operation.input(0);
  const given = operation.numbers(1)!;
  const rank = x.dims.length + given.length;
  const axes = given.map((axis) => positiveAxis(axis, rank));
  const rest = [...x.dims];
  const dims = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
  return [reshaped(x, dims)];
};

const transpose: Kernel = (operation) => {
  const x = operation.input(0);
  const order =
    intsOf(operation.attributes, "perm") ?? x.dims.map((_, axis) => x.dims.length - 1 - axis);
  const dims = order.map((axis) => x.dims[axis]!);
  return [
    rearrange(x, dims, (index) => {
      const source = x.dims.map((_, axis) => index[order.indexOf(axis)]!);
      return offsetOf(x.dims, source);
    }),
  ];
};

const expand: Kernel = (operation) => {
  const x = operation.input(0);
  const dims = broadcastDims(x.dims, operation.numbers(1)!);
  return [rearrange(x, dims, (index) => broadcastOffset(x.dims, index))];
};

const tile: Kernel = (operation) => {
  const x = operation.input(0);
  const repeats = operation.numbers(1)!;
  const dims = x.dims.map((size, axis) => size * repeats[axis]!);
  const from = (index: readonly number[]) =>
    offsetOf(
      x.dims,
      index.map((position, axis) => position % x.dims[axis]!),
    );
  return [rearrange(x, dims, from)];
};

const concat: Kernel = (operation) => {
  const parts = operation.inputs.map((_, index) => operation.input(index));
  const axis = positiveAxis(intOf(operation.attributes, "axis", 0), parts[0]!.dims.length);
  const total = parts.reduce((sum, part) => sum + part.dims[axis]!, 0);
  const result = rearrange(parts[0]!, withAt(parts[0]!.dims, axis, total), () => null);
  let start = 0;
  for (const part of parts) {
    eachIndex(part.dims, (index, offset) => {
      const place = offsetOf(result.dims, withAt(index, axis, start + index[axis]!));
      result.data[place] = part.data[offset]!;
    });
    start += part.dims[axis]!;
  }
  return [result];
};

const split: Kernel = (operation) => {
  const x = operation.input(0);
  const axis = positiveAxis(intOf(operation.attributes, "axis", 0), x.dims.length);
  const count = operation.node.outputs.length;
  const share = Math.ceil(x.dims[axis]! / count);
  const sizes =
    operation.numbers(1) ??
    Array.from({ length: count }, (_, i) => Math.min(share, x.dims[axis]! - i * share));
  let start = 0;
  return sizes.map((size) => {
    const first = start;
    start += size;
    return rearrange(x, withAt(x.dims, axis, size), (index) =>
      offsetOf(x.dims, withAt(index, axis, first + index[axis]!)),
    );
  });
};

/** Source: ONNX Slice-13: negative positions count from the end, all are then clamped. */
const slice: Kernel = (operation) => {
  const x = operation.input(0);
  const [starts, ends] = [operation.numbers(1)!, operation.numbers(2)!];
  const axes = operation.numbers(3) ?? starts.map((_, axis) => axis);
  const steps = operation.numbers(4) ?? starts.map(() => 1);
  const ranges = x.dims.map((size) => ({ start: 0, step: 1, count: size }));
  axes.forEach((given, i) => {
    const axis = positiveAxis(given, x.dims.length);
    const [size, step] = [x.dims[axis]!, steps[i]!];
    const clamp = (position: number, low: number, high: number) =>
      Math.min(high, Math.max(low, position < 0 ? position + size : position));
    const start = step > 0 ? clamp(starts[i]!, 0, size) : clamp(starts[i]!, 0, size - 1);
    const end = step > 0 ? clamp(ends[i]!, 0, size) : clamp(ends[i]!, -1, size - 1);
    ranges[axis] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
  return [
    rearrange(
      x,
      ranges.map((range) => range.count),
      (index) =>
        offsetOf(
          x.dims,
          index.map((position, axis) => ranges[axis]!.start + position * ranges[axis]!.step),
        ),
    ),
  ];
};

/** Where an element of the padded axis comes from; null is the filler. */
function paddedSource(position: number, size: number, mode: string): number | null {
  if (position >= 0 && position < size) return position;
  if (mode === "constant") return null;
  if (mode === "edge") return position < 0 ? 0 : size - 1;
  if (mode === "wrap") return ((position % size) + size) % size;
  return paddedSource(position < 0 ? -position : 2 * (size - 1) - position, size, mode);
}

const pad: Kernel = (operation) => {
  const x = operation.input(0);
  const mode = stringOf(operation.attributes, "mode", "constant");
  const amounts = operation.numbers(1)!;
  const axes = operation.numbers(3) ?? x.dims.map((_, axis) => axis);
  const begin = x.dims.map(() => 0);
  const dims = [...x.dims];
  axes.forEach((given, i) => {
    const axis = positiveAxis(given, dims.length);
    begin[axis] = amounts[i]!;
    dims[axis]! += amounts[i]! + amounts[i + axes.length]!;
  });
  const from = (index: readonly number[]): number | null => {
    const source = index.map((position, axis) =>
      paddedSource(position - begin[axis]!, x.dims[axis]!, mode),
    );
    return source.includes(null) ? null : offsetOf(x.dims, source as number[]);
  };
  return [rearrange(x, dims, from, operation.inputs[2]?.data[0])];
};

/** Both directions as a reshape to six axes, a transposition and a reshape. Source: ONNX DepthToSpace-13. */
function blocks(x: NdArray, apart: readonly number[], order: readonly number[], dims: number[]) {
  const source = { ...x, dims: apart };
  const turned = rearrange(
    source,
    order.map((axis) => apart[axis]!),
    (index) =>
      offsetOf(
        apart,
        apart.map((_, axis) => index[order.indexOf(axis)]!),
      ),
  );
  return [reshaped(turned, dims)];
}

const depthToSpace: Kernel = (operation) => {
  const x = operation.input(0);
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const size = intOf(operation.attributes, "blocksize", 1);
  const depth = c / size ** 2;
  const isDcr = stringOf(operation.attributes, "mode", "DCR") === "DCR";
  const apart = isDcr ? [n, size, size, depth, h, w] : [n, depth, size, size, h, w];
  const order = isDcr ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return blocks(x, apart, order, [n, depth, h * size, w * size]);
};

const spaceToDepth: Kernel = (operation) => {
  const x = operation.input(0);
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const size = intOf(operation.attributes, "blocksize", 1);
  const apart = [n, c, h / size, size, w / size, size];
  return blocks(x, apart, [0, 3, 5, 1, 2, 4], [n, c * size ** 2, h / size, w / size]);
};

const range: Kernel = (operation) => {
  const [start, limit, step] = [0, 1, 2].map((index) => operation.numbers(index)![0]!);
  const count = Math.max(0, Math.ceil((limit! - start!) / step!));
  return [tabulate(operation.input(0).type, [count], ([i]) => start! + i! * step!)];
};

const constantOfShape: Kernel = (operation) => {
  const { value } = operation.attributes;
  const filler = value?.kind === "tensor" ? Number(value.value.data[0]) : 0;
  const type = value?.kind === "tensor" ? value.value.type : "float32";
  return [tabulate(type, operation.numbers(0)!, () => filler)];
};

const constant: Kernel = (operation) => {
  const { value } = operation.attributes;
  if (value?.kind !== "tensor") throw new RangeError("Constant without a tensor");
  return [arrayOf(value.value.type, value.value)];
};

const wholeNumbers = (dims: readonly number[], data: readonly number[]): NdArray[] => [
  arrayOf("int64", { dims, data }),
];

export const REARRANGEMENT_KERNELS: KernelTable = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Range: range,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: (operation) => {
    const { dims } = operation.input(0);
    return wholeNumbers([dims.length], dims);
  },
  Size: (operation) => wholeNumbers([], [sizeOf(operation.input(0).dims)]),
};
