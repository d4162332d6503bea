/** Resampling: Resize axis by axis, and sampling at the positions of a grid. */
import { type Attributes, intOf, intsOf, stringOf } from "../../../src/onnx/index.ts";
import { eachIndex, numbersOf, offsetOf, positiveAxis, tabulate } from "./array.ts";
import type { Kernel, KernelTable } from "./kernel.ts";

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

interface AxisScale {
  readonly size: number;
  readonly outputs: number;
  readonly scale: number;
}

/** Source: ONNX Resize-19, coordinate_transformation_mode. */
function sourcePosition(attributes: Attributes, at: number, axis: AxisScale): number {
  const { size, outputs, scale } = axis;
  switch (stringOf(attributes, "coordinate_transformation_mode", "half_pixel")) {
    case "asymmetric":
      return at / scale;
    case "align_corners":
      return outputs === 1 ? 0 : (at * (size - 1)) / (outputs - 1);
    case "pytorch_half_pixel":
      return outputs > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case "half_pixel_symmetric": {
      const adjustment = outputs / (scale * size);
      return (size / 2) * (1 - adjustment) + (at + 0.5) / scale - 0.5;
    }
    case "tf_half_pixel_for_nn":
      return (at + 0.5) / scale;
    case "half_pixel":
      return (at + 0.5) / scale - 0.5;
    default:
      throw new RangeError("a coordinate_transformation_mode that the reference does not know");
  }
}

function nearestOf(attributes: Attributes, position: number): number {
  switch (stringOf(attributes, "nearest_mode", "round_prefer_floor")) {
    case "floor":
      return Math.floor(position);
    case "ceil":
      return Math.ceil(position);
    case "round_prefer_ceil":
      return Math.floor(position + 0.5);
    default:
      return Math.ceil(position - 0.5);
  }
}

/** Which elements along an axis a result mixes, and how much of each. */
function contributions(attributes: Attributes, at: number, axis: AxisScale): [number, number][] {
  if (axis.size === axis.outputs && axis.scale === 1) return [[at, 1]];
  const position = sourcePosition(attributes, at, axis);
  const last = axis.size - 1;
  if (stringOf(attributes, "mode", "nearest") === "nearest")
    return [[clamp(nearestOf(attributes, position), 0, last), 1]];
  const low = Math.floor(position);
  const share = position - low;
  return [
    [clamp(low, 0, last), 1 - share],
    [clamp(low + 1, 0, last), share],
  ];
}

const resize: Kernel = (operation) => {
  const { attributes } = operation;
  const x = operation.input(0);
  const values = numbersOf(x);
  const mode = stringOf(attributes, "mode", "nearest");
  if (mode === "cubic" || intOf(attributes, "antialias", 0) === 1)
    throw new RangeError("the reference resizes by nearest and linear only");
  const [scales, sizes] = [operation.numbers(2), operation.numbers(3)];
  const chosen = intsOf(attributes, "axes") ?? x.dims.map((_, axis) => axis);
  const axes: AxisScale[] = x.dims.map((size) => ({ size, outputs: size, scale: 1 }));
  chosen.forEach((given, i) => {
    const axis = positiveAxis(given, x.dims.length);
    const size = x.dims[axis]!;
    const outputs = sizes?.[i] ?? Math.floor(size * scales![i]!);
    axes[axis] = { size, outputs, scale: scales?.[i] ?? outputs / size };
  });
  // ONNX Runtime, unlike the standard, hands on what keeps its whole shape, whatever the scales.
  if (axes.every(({ size, outputs }) => size === outputs)) return [x];
  const result = tabulate(
    x.type,
    axes.map((axis) => axis.outputs),
    (index) => {
      const parts = axes.map((axis, i) => contributions(attributes, index[i]!, axis));
      let total = 0;
      eachIndex(
        parts.map((part) => part.length),
        (which) => {
          const picked = which.map((choice, i) => parts[i]![choice]!);
          const weight = picked.reduce((all, [, share]) => all * share, 1);
          const place = picked.map(([position]) => position);
          total += weight * values[offsetOf(x.dims, place)]!;
        },
      );
      return total;
    },
  );
  return [result];
};

/** Positions in [-1, 1] of the output's pixels under each map. Source: ONNX AffineGrid-20. */
const affineGrid: Kernel = (operation) => {
  const theta = operation.input(0);
  const maps = numbersOf(theta);
  const [batch, , height, width] = operation.numbers(1) as [number, number, number, number];
  const isAligned = intOf(operation.attributes, "align_corners", 0) === 1;
  const unit = (at: number, size: number): number =>
    isAligned ? (size === 1 ? 0 : -1 + (2 * at) / (size - 1)) : -1 + (2 * at + 1) / size;
  const result = tabulate(theta.type, [batch, height, width, 2], ([n, y, x, which]) => {
    const [a, b, c] = maps.subarray((n! * 2 + which!) * 3, (n! * 2 + which!) * 3 + 3);
    return a! * unit(x!, width) + b! * unit(y!, height) + c!;
  });
  return [result];
};

/** Reflects a position into the image: about pixel centres when aligned, else about its border. */
function reflected(position: number, size: number, isAligned: boolean): number {
  const [low, high] = isAligned ? [0, size - 1] : [-0.5, size - 0.5];
  const span = high - low;
  if (span === 0) return 0;
  const away = Math.abs(position - low) % (2 * span);
  return low + (away <= span ? away : 2 * span - away);
}

/** Source: ONNX GridSample-22, on images `[N, C, H, W]`. */
const gridSample: Kernel = (operation) => {
  const { attributes } = operation;
  const [image, grid] = [operation.input(0), operation.input(1)];
  const [pixels, places] = [numbersOf(image), numbersOf(grid)];
  const [batch, channels, ...sizes] = image.dims;
  const isAligned = intOf(attributes, "align_corners", 0) === 1;
  const padding = stringOf(attributes, "padding_mode", "zeros");
  const isNearest = stringOf(attributes, "mode", "linear") === "nearest";

  const located = (unit: number, size: number): number => {
    const position = isAligned ? ((unit + 1) / 2) * (size - 1) : ((unit + 1) * size - 1) / 2;
    if (padding === "border") return clamp(position, 0, size - 1);
    return padding === "reflection"
      ? clamp(reflected(position, size, isAligned), 0, size - 1)
      : position;
  };
  const pixel = (n: number, c: number, at: readonly number[]): number =>
    at.every((position, axis) => position >= 0 && position < sizes[axis]!)
      ? pixels[offsetOf(image.dims, [n, c, ...at])]!
      : 0;

  const [height, width] = [grid.dims[1]!, grid.dims[2]!];
  const result = tabulate(image.type, [batch!, channels!, height, width], ([n, c, y, x]) => {
    const start = offsetOf(grid.dims, [n!, y!, x!, 0]);
    // The grid says x before y.
    const at = sizes.map((size, axis) => located(places[start + 1 - axis]!, size));
    if (isNearest) return pixel(n!, c!, at.map(roundHalfEven));
    return bilinear(at, (corner) => pixel(n!, c!, corner));
  });
  return [result];
};

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function bilinear(at: readonly number[], read: (corner: readonly number[]) => number): number {
  let total = 0;
  eachIndex([2, 2], (step) => {
    const corner = at.map((position, axis) => Math.floor(position) + step[axis]!);
    const weight = at.reduce((all, position, axis) => {
      const share = position - Math.floor(position);
      return all * (step[axis] === 1 ? share : 1 - share);
    }, 1);
    total += weight * read(corner);
  });
  return total;
}

export const RESIZING_KERNELS: KernelTable = {
  Resize: resize,
  AffineGrid: affineGrid,
  GridSample: gridSample,
};
