/**
 * Forms of the operators with many attributes, drawn at random: what no table of chosen cases thinks
 * of. Equal seeds draw equal forms; a form's title says all there is to it.
 */
import { describe } from "vitest";
import { checkGradients } from "../../../test/support/gradient-check.ts";
import { distinct, normal, type OperatorCase } from "../../../test/support/operator-case.ts";
import { operators as op } from "../../onnx/index.ts";
import { type RandomStream, randomStream } from "../../random.ts";
import { GRADIENT_RULES } from "./index.ts";

type Draw = (random: RandomStream) => Omit<OperatorCase, "operator"> | undefined;

/** `count` cases; drawing goes on where a form would be empty or is not allowed. */
function drawn(operator: string, count: number, draw: Draw): OperatorCase[] {
  const random = randomStream(1, "random forms", operator);
  const cases = new Map<string, OperatorCase>();
  while (cases.size < count) {
    const entry = draw(random);
    if (entry) cases.set(entry.title, { operator, ...entry });
  }
  return [...cases.values()];
}

const from = (random: RandomStream, low: number, high: number): number =>
  low + random.integer(high - low + 1);
const oneOf = <T>(random: RandomStream, items: readonly T[]): T =>
  items[random.integer(items.length)]!;

interface DrawnWindow {
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly autoPad: "NOTSET" | "SAME_UPPER" | "SAME_LOWER" | "VALID";
}

/**
 * A window that fits at least once, over one or two spatial axes. ONNX Runtime refuses dilated
 * convolutions with SAME padding, and gives pooling of that kind another size than the standard.
 */
function drawWindow(random: RandomStream): DrawnWindow | undefined {
  const autoPad = oneOf(random, ["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] as const);
  const axes = Array.from({ length: from(random, 1, 2) }, () => {
    const kernel = from(random, 1, 3);
    return {
      size: from(random, 3, 7),
      kernel,
      stride: from(random, 1, 3),
      dilation: autoPad.startsWith("SAME") ? 1 : from(random, 1, 2),
      begin: random.integer(kernel),
      end: random.integer(kernel),
    };
  });
  const fits = axes.every(({ size, kernel, dilation, begin, end }) => {
    const room = autoPad === "NOTSET" ? size + begin + end : size;
    return (kernel - 1) * dilation + 1 <= room;
  });
  if (!fits) return undefined;
  return {
    size: axes.map(({ size }) => size),
    kernel: axes.map(({ kernel }) => kernel),
    strides: axes.map(({ stride }) => stride),
    dilations: axes.map(({ dilation }) => dilation),
    pads: [...axes.map(({ begin }) => begin), ...axes.map(({ end }) => end)],
    autoPad,
  };
}

/** SAME padding that would have to be negative: no two of ONNX Runtime's operators agree on it. */
const isNegative = ({ autoPad, kernel, strides }: DrawnWindow): boolean =>
  autoPad.startsWith("SAME") && kernel.some((taps, axis) => taps < strides[axis]!);

const titled = (form: object): string => JSON.stringify(form).replaceAll('"', "");
const padding = ({ autoPad, pads }: DrawnWindow) => (autoPad === "NOTSET" ? { pads } : { autoPad });

const convolution: Draw = (random) => {
  const window = drawWindow(random);
  if (!window) return undefined;
  const { size, kernel, strides, dilations } = window;
  const group = oneOf(random, [1, 1, 2, 3]);
  const [inputs, outputs] = [group * from(random, 1, 2), group * from(random, 1, 2)];
  const options = { strides, dilations, group, ...padding(window) };
  const x = [from(random, 1, 2), inputs, ...size];
  const weight = [outputs, inputs / group, ...kernel];
  return {
    title: titled({ x, weight, ...options }),
    operands: [normal(x), normal(weight), normal([outputs])],
    build: (image, filter, bias) => op.conv(image!, filter!, bias, options),
  };
};

const transposedConvolution: Draw = (random) => {
  const window = drawWindow(random);
  if (!window || isNegative(window)) return undefined;
  const { size, kernel, strides, dilations } = window;
  const group = oneOf(random, [1, 1, 2]);
  const [inputs, outputs] = [group * from(random, 1, 2), group * from(random, 1, 2)];
  const outputPadding = strides.map((stride) => random.integer(stride));
  const options = {
    strides,
    dilations,
    group,
    ...padding(window),
    ...(window.autoPad === "NOTSET" ? { outputPadding } : {}),
  };
  const small = size.map((length) => Math.min(4, length));
  const reach = small.map(
    (length, axis) => (length - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1,
  );
  if (
    reach.some((length, axis) => length - window.pads[axis]! - window.pads[axis + size.length]! < 1)
  )
    return undefined;
  const x = [from(random, 1, 2), inputs, ...small];
  const weight = [inputs, outputs / group, ...kernel];
  return {
    title: titled({ x, weight, ...options }),
    operands: [normal(x), normal(weight), normal([outputs])],
    build: (image, filter, bias) => op.convTranspose(image!, filter!, bias, options),
  };
};

const pooling =
  (kind: "max" | "average"): Draw =>
  (random) => {
    const window = drawWindow(random);
    if (!window || isNegative(window)) return undefined;
    const { size, kernel, strides, dilations } = window;
    const isCeil = random.chance(0.3);
    const countsPadding = random.chance(0.5);
    const x = [from(random, 1, 2), 2, ...size];
    const options = { kernel, strides, dilations, isCeil, ...padding(window) };
    if (kind === "max")
      return {
        title: titled({ x, ...options }),
        operands: [distinct(x)],
        build: (image) => op.maxPool(image!, options),
      };
    return {
      title: titled({ x, ...options, countsPadding }),
      operands: [normal(x)],
      build: (image) => op.averagePool(image!, { ...options, countsPadding }),
    };
  };

const COORDINATES = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] as const;
const NEAREST = ["round_prefer_floor", "floor", "ceil", "round_prefer_ceil"] as const;

const resizing: Draw = (random) => {
  const size = [from(random, 2, 6), from(random, 2, 6)];
  const mode = oneOf(random, ["linear", "nearest"] as const);
  const coordinates = oneOf(random, COORDINATES);
  const nearestMode = mode === "nearest" ? oneOf(random, NEAREST) : undefined;
  const options = { mode, coordinates, nearestMode };
  const x = [1, 2, ...size];
  if (random.chance(0.5)) {
    const sizes = [1, 2, from(random, 1, 8), from(random, 1, 8)];
    return {
      title: titled({ x, sizes, ...options }),
      operands: [normal(x)],
      build: (image) => op.resizeToSizes(image!, sizes, options),
    };
  }
  // Off whole numbers, where single and double precision would floor apart.
  const scales = [1, 1, from(random, 4, 20) / 8 + 0.03, from(random, 4, 20) / 8 + 0.03];
  return {
    title: titled({ x, scales, ...options }),
    operands: [normal(x)],
    build: (image) => op.resizeByScales(image!, scales, options),
  };
};

const slicing: Draw = (random) => {
  const x = [from(random, 1, 6), from(random, 1, 6), from(random, 1, 3)];
  const ranges = [0, 1].map((axis) => ({
    axis: random.chance(0.3) ? axis - 3 : axis,
    start: from(random, -8, 8),
    end: from(random, -8, 8),
    step: oneOf(random, [1, 1, 2, 3, -1, -2]),
  }));
  const isEmpty = ranges.some(({ start, end, step }, axis) => {
    const clamp = (at: number, isEnd: boolean) => {
      const place = at < 0 ? at + x[axis]! : at;
      const [low, high] = step > 0 ? [0, x[axis]!] : [isEnd ? -1 : 0, x[axis]! - 1];
      return Math.min(high, Math.max(low, place));
    };
    return (clamp(end, true) - clamp(start, false)) / step <= 0;
  });
  if (isEmpty) return undefined;
  return {
    title: titled({ x, ranges }),
    operands: [normal(x)],
    build: (image) => op.slice(image!, ranges),
  };
};

const padded: Draw = (random) => {
  const x = [from(random, 2, 4), from(random, 2, 5)];
  const mode = oneOf(random, ["constant", "reflect", "edge", "wrap"] as const);
  // ONNX Runtime does not crop to one element and reflect that, nor crop and wrap.
  const least = mode === "wrap" || mode === "reflect" ? 0 : -1;
  const pads = [...x, ...x].map((size) => from(random, least, size - 1));
  const isEmpty = x.some((size, axis) => size + pads[axis]! + pads[axis + 2]! < 1);
  if (isEmpty) return undefined;
  return {
    title: titled({ x, pads, mode }),
    operands: [normal(x)],
    build: (image) => op.pad(image!, pads, { mode }),
  };
};

const FORMS: readonly (readonly [operator: string, count: number, draw: Draw])[] = [
  ["Conv", 40, convolution],
  ["ConvTranspose", 40, transposedConvolution],
  ["MaxPool", 40, pooling("max")],
  ["AveragePool", 40, pooling("average")],
  ["Resize", 40, resizing],
  ["Slice", 40, slicing],
  ["Pad", 40, padded],
];

describe.each(FORMS)("random forms of %s", (operator, count, draw) => {
  checkGradients({ [operator]: GRADIENT_RULES[operator]! }, drawn(operator, count, draw));
});
