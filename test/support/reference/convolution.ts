/** Convolution and pooling, tap by tap. */
import { type Attributes, intOf, intsOf, sizeOf, stringOf } from "../../../src/onnx/index.ts";
import {
  arrayOf,
  eachIndex,
  type NdArray,
  numbersOf,
  offsetOf,
  reshaped,
  tabulate,
} from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";
import { type Axis, tapPosition, windowAxes } from "./window.ts";

/** An element under a window: its offset in the input's and in the kernel's spatial part. */
interface Tap {
  readonly place: number;
  readonly tap: number;
}

/** For each position of the output in order, the input's elements under its window. */
function tapsOf(axes: readonly Axis[]): Tap[][] {
  const sizes = axes.map((axis) => axis.size);
  const kernel = axes.map((axis) => axis.taps);
  const table: Tap[][] = [];
  eachPosition(axes, (at) => {
    const taps: Tap[] = [];
    eachIndex(kernel, (index, tap) => {
      const position = axes.map((axis, i) => tapPosition(axis, at[i]!, index[i]!));
      const isInside = position.every((place, i) => place >= 0 && place < sizes[i]!);
      if (isInside) taps.push({ place: offsetOf(sizes, position), tap });
    });
    table.push(taps);
  });
  return table;
}

function eachPosition(axes: readonly Axis[], visit: (at: readonly number[]) => void): void {
  eachIndex(
    axes.map((axis) => axis.outputs),
    visit,
  );
}

const conv: Kernel = (operation) => {
  const [x, weight] = [operation.input(0), operation.input(1)];
  const bias = operation.numbers(2);
  const [values, weights] = [numbersOf(x), numbersOf(weight)];
  const group = intOf(operation.attributes, "group", 1);
  const [batch, inChannels, ...sizes] = x.dims;
  const [outChannels, perGroup, ...kernel] = weight.dims;
  const axes = windowAxes(operation.attributes, sizes, kernel);
  const [pixels, area] = [sizeOf(sizes), sizeOf(kernel)];
  const taps = tapsOf(axes);
  const dims = [batch!, outChannels!, ...axes.map((axis) => axis.outputs)];
  const result = tabulateMaps(x.type, dims, (n, o, position) => {
    const firstChannel = Math.floor(o / (outChannels! / group)) * perGroup!;
    let total = bias?.[o] ?? 0;
    for (let c = 0; c < perGroup!; c++) {
      const map = (n * inChannels! + firstChannel + c) * pixels;
      const filter = (o * perGroup! + c) * area;
      for (const { place, tap } of taps[position]!)
        total += values[map + place]! * weights[filter + tap]!;
    }
    return total;
  });
  return [result];
};

/** Tabulates `[N, C, ...]` by image, channel and the offset in the map. */
function tabulateMaps(
  type: NdArray["type"],
  dims: readonly number[],
  compute: (n: number, c: number, position: number) => number,
): NdArray {
  const [batch, channels, ...spatial] = dims;
  const flat = tabulate(type, [batch!, channels!, sizeOf(spatial)], ([n, c, position]) =>
    compute(n!, c!, position!),
  );
  return reshaped(flat, dims);
}

/** Every input element adds its multiple of the kernel. Source: ONNX ConvTranspose-22. */
const convTranspose: Kernel = (operation) => {
  const [x, weight] = [operation.input(0), operation.input(1)];
  const bias = operation.numbers(2);
  const [values, weights] = [numbersOf(x), numbersOf(weight)];
  const group = intOf(operation.attributes, "group", 1);
  const [inChannels, perGroup, ...kernel] = weight.dims;
  const axes = transposedAxes(operation.attributes, x.dims.slice(2), kernel);
  const [pixels, area] = [sizeOf(axes.map((axis) => axis.size)), sizeOf(kernel)];
  const taps = tapsOf(axes);
  const outChannels = perGroup! * group;
  const dims = [x.dims[0]!, outChannels, ...axes.map((axis) => axis.size)];
  const result = tabulate(x.type, dims, ([, o]) => bias?.[o!] ?? 0);
  const totals = numbersOf(result);
  eachIndex([x.dims[0]!, inChannels!, taps.length], ([n, c, position], source) => {
    const firstChannel = Math.floor(c! / (inChannels! / group)) * perGroup!;
    for (let o = 0; o < perGroup!; o++) {
      const map = (n! * outChannels + firstChannel + o) * pixels;
      const filter = (c! * perGroup! + o) * area;
      for (const { place, tap } of taps[position!]!)
        totals[map + place]! += values[source]! * weights[filter + tap]!;
    }
  });
  return [result];
};

/** The windows of the convolution that is transposed: `size` is this operator's output. */
function transposedAxes(
  attributes: Attributes,
  sizes: readonly number[],
  kernel: readonly number[],
): Axis[] {
  const autoPad = stringOf(attributes, "auto_pad", "NOTSET");
  return sizes.map((outputs, i) => {
    const taps = kernel[i]!;
    const stride = intsOf(attributes, "strides")?.[i] ?? 1;
    const dilation = intsOf(attributes, "dilations")?.[i] ?? 1;
    const extra = intsOf(attributes, "output_padding")?.[i] ?? 0;
    const pads = autoPad === "NOTSET" ? intsOf(attributes, "pads") : undefined;
    const full = stride * (outputs - 1) + extra + dilation * (taps - 1) + 1;
    let begin = pads?.[i] ?? 0;
    let end = pads?.[i + sizes.length] ?? 0;
    const wanted =
      intsOf(attributes, "output_shape")?.slice(-sizes.length)[i] ??
      (autoPad.startsWith("SAME") ? outputs * stride : undefined);
    if (wanted !== undefined) {
      const cut = Math.max(0, full - wanted);
      const half = Math.floor(cut / 2);
      [begin, end] = autoPad === "SAME_UPPER" ? [half, cut - half] : [cut - half, half];
    }
    return { size: full - begin - end, taps, stride, dilation, begin, end, outputs };
  });
}

/** Maxima and the flat offsets of the first of them. */
const maxPool: Kernel = (operation) => {
  const x = operation.input(0);
  const values = numbersOf(x);
  const axes = poolAxes(operation);
  const pixels = sizeOf(x.dims.slice(2));
  const taps = tapsOf(axes);
  const dims = [x.dims[0]!, x.dims[1]!, ...axes.map((axis) => axis.outputs)];
  const places = tabulateMaps("int64", dims, (n, c, position) => {
    const map = (n * dims[1]! + c) * pixels;
    let best = -1;
    for (const { place } of taps[position]!)
      if (best < 0 || values[map + place]! > values[best]!) best = map + place;
    return best;
  });
  const maxima = numbersOf(places).map((place) => values[place]!);
  return [{ type: x.type, dims, data: maxima }, places];
};

function poolAxes(operation: Operation): Axis[] {
  const kernel = intsOf(operation.attributes, "kernel_shape") ?? [];
  return windowAxes(operation.attributes, operation.input(0).dims.slice(2), kernel);
}

/** With count_include_pad the padding counts, but not what rounding up adds beyond it. */
const averagePool: Kernel = (operation) => {
  const x = operation.input(0);
  const values = numbersOf(x);
  const axes = poolAxes(operation);
  const pixels = sizeOf(x.dims.slice(2));
  const taps = tapsOf(axes);
  const countsPadding = intOf(operation.attributes, "count_include_pad", 0) === 1;
  const counts = countsPadding ? paddedCounts(axes) : taps.map((inside) => inside.length);
  const dims = [x.dims[0]!, x.dims[1]!, ...axes.map((axis) => axis.outputs)];
  const result = tabulateMaps(x.type, dims, (n, c, position) => {
    const map = (n * dims[1]! + c) * pixels;
    const total = taps[position]!.reduce((sum, { place }) => sum + values[map + place]!, 0);
    return total / counts[position]!;
  });
  return [result];
};

/** For each position of the output, how many taps lie on the input or its padding. */
function paddedCounts(axes: readonly Axis[]): number[] {
  const counts: number[] = [];
  eachPosition(axes, (at) => {
    const perAxis = axes.map((axis, i) => {
      const taps = Array.from({ length: axis.taps }, (_, tap) => tapPosition(axis, at[i]!, tap));
      return taps.filter((place) => place < axis.size + axis.end).length;
    });
    counts.push(sizeOf(perAxis));
  });
  return counts;
}

function globalPool(pool: (values: number[]) => number): Kernel {
  return (operation) => {
    const x = operation.input(0);
    const values = numbersOf(x);
    const [batch, channels, ...spatial] = x.dims;
    const count = sizeOf(spatial);
    const dims = [batch!, channels!, ...spatial.map(() => 1)];
    return [
      tabulate(x.type, dims, ([n, c]) => {
        const start = (n! * channels! + c!) * count;
        return pool(Array.from(values.subarray(start, start + count)));
      }),
    ];
  };
}

const maxUnpool: Kernel = (operation) => {
  const [x, places] = [operation.input(0), operation.input(1)];
  const dims = operation.numbers(2) ?? unpooledDims(operation, x);
  const data = new Float64Array(sizeOf(dims));
  numbersOf(places).forEach((place, offset) => {
    data[place] = numbersOf(x)[offset]!;
  });
  return [arrayOf(x.type, { dims, data })];
};

function unpooledDims({ attributes }: Operation, x: NdArray): number[] {
  const kernel = intsOf(attributes, "kernel_shape") ?? [];
  const rank = kernel.length;
  const pads = intsOf(attributes, "pads") ?? Array<number>(2 * rank).fill(0);
  const spatial = kernel.map((taps, i) => {
    const stride = intsOf(attributes, "strides")?.[i] ?? 1;
    return (x.dims[i + 2]! - 1) * stride + taps - pads[i]! - pads[i + rank]!;
  });
  return [x.dims[0]!, x.dims[1]!, ...spatial];
}

export const CONVOLUTION_KERNELS: KernelTable = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  MaxUnpool: maxUnpool,
  GlobalMaxPool: globalPool((values) => Math.max(...values)),
  GlobalAveragePool: globalPool((values) => values.reduce((a, b) => a + b) / values.length),
};
