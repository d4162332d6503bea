/** Convolution and pooling, tap by tap. */
import { type Attributes, intOf, intsOf, stringOf } from "../../../src/onnx/index.ts";
import { arrayOf, eachIndex, type NdArray, numbersOf, offsetOf, tabulate } from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";
import { type Axis, tapPosition, windowAxes } from "./window.ts";

/** Calls `visit` with the position and tap of every element of the input under the window at `at`. */
function eachTap(
  axes: readonly Axis[],
  at: readonly number[],
  visit: (position: readonly number[], tap: readonly number[]) => void,
): void {
  eachIndex(
    axes.map((axis) => axis.taps),
    (tap) => {
      const position = axes.map((axis, i) => tapPosition(axis, at[i]!, tap[i]!));
      if (position.every((place, i) => place >= 0 && place < axes[i]!.size)) visit(position, tap);
    },
  );
}

const conv: Kernel = (operation) => {
  const [x, weight] = [operation.input(0), operation.input(1)];
  const bias = operation.numbers(2);
  const [values, weights] = [numbersOf(x), numbersOf(weight)];
  const group = intOf(operation.attributes, "group", 1);
  const [outChannels, perGroup, ...kernel] = weight.dims;
  const axes = windowAxes(operation.attributes, x.dims.slice(2), kernel);
  const dims = [x.dims[0]!, outChannels!, ...axes.map((axis) => axis.outputs)];
  const result = tabulate(x.type, dims, ([n, o, ...at]) => {
    const firstChannel = Math.floor(o! / (outChannels! / group)) * perGroup!;
    let total = bias?.[o!] ?? 0;
    eachTap(axes, at, (position, tap) => {
      for (let c = 0; c < perGroup!; c++)
        total +=
          values[offsetOf(x.dims, [n!, firstChannel + c, ...position])]! *
          weights[offsetOf(weight.dims, [o!, c, ...tap])]!;
    });
    return total;
  });
  return [result];
};

/** Every input element adds its multiple of the kernel. Source: ONNX ConvTranspose-22. */
const convTranspose: Kernel = (operation) => {
  const [x, weight] = [operation.input(0), operation.input(1)];
  const bias = operation.numbers(2);
  const [values, weights] = [numbersOf(x), numbersOf(weight)];
  const group = intOf(operation.attributes, "group", 1);
  const [inChannels, perGroup, ...kernel] = weight.dims;
  const axes = transposedAxes(operation.attributes, x.dims.slice(2), kernel);
  const dims = [x.dims[0]!, perGroup! * group, ...axes.map((axis) => axis.size)];
  const result = tabulate(x.type, dims, ([, o]) => bias?.[o!] ?? 0);
  const totals = numbersOf(result);
  eachIndex(x.dims, ([n, c, ...at], source) => {
    const firstChannel = Math.floor(c! / (inChannels! / group)) * perGroup!;
    eachTap(axes, at, (position, tap) => {
      for (let o = 0; o < perGroup!; o++)
        totals[offsetOf(dims, [n!, firstChannel + o, ...position])]! +=
          values[source]! * weights[offsetOf(weight.dims, [c!, o, ...tap])]!;
    });
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
  const dims = [x.dims[0]!, x.dims[1]!, ...axes.map((axis) => axis.outputs)];
  const places = tabulate("int64", dims, ([n, c, ...at]) => {
    let best = -1;
    eachTap(axes, at, (position) => {
      const offset = offsetOf(x.dims, [n!, c!, ...position]);
      if (best < 0 || values[offset]! > values[best]!) best = offset;
    });
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
  const countsPadding = intOf(operation.attributes, "count_include_pad", 0) === 1;
  const dims = [x.dims[0]!, x.dims[1]!, ...axes.map((axis) => axis.outputs)];
  const result = tabulate(x.type, dims, ([n, c, ...at]) => {
    let [total, inside, padded] = [0, 0, 0];
    eachTap(axes, at, (position) => {
      total += values[offsetOf(x.dims, [n!, c!, ...position])]!;
      inside++;
    });
    eachIndex(
      axes.map((axis) => axis.taps),
      (tap) => {
        const fits = axes.every(
          (axis, i) => tapPosition(axis, at[i]!, tap[i]!) < axis.size + axis.end,
        );
        if (fits) padded++;
      },
    );
    return total / (countsPadding ? padded : inside);
  });
  return [result];
};

function globalPool(pool: (values: number[]) => number): Kernel {
  return (operation) => {
    const x = operation.input(0);
    const values = numbersOf(x);
    const [batch, channels, ...spatial] = x.dims;
    const count = spatial.reduce((a, b) => a * b, 1);
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
  const data = new Float64Array(dims.reduce((a, b) => a * b, 1));
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
