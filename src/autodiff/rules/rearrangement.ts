/** Gradients of operators that move elements: the same movement backwards. */
import {
  intOf,
  intsOf,
  operators as op,
  sliceIndices,
  staticShape,
  stringOf,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import {
  type GradientContext,
  type GradientRule,
  type GradientTable,
  noGradient,
} from "../rule.ts";

/** For everything that keeps the elements' order. */
const backToShape: GradientRule = (context) => [
  op.reshape(context.gradient, staticShape(context.input(0))),
];

function known(context: GradientContext, index: number, what: string): number[] | undefined {
  const operand = context.optionalInput(index);
  if (operand && !operand.constant) context.unsupported(`its ${what} are computed at run time`);
  return operand?.constant ? toNumbers(operand.constant) : undefined;
}

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const transpose: GradientRule = (context) => {
  const rank = context.input(0).shape.length;
  const order =
    intsOf(context.attributes, "perm") ??
    Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return [op.transpose(context.gradient, inverse)];
};

/** Each operand gets its own stretch of the gradient. */
const concat: GradientRule = (context) => {
  const axis = positive(intOf(context.attributes, "axis", 0), context.gradient.shape.length);
  let start = 0;
  return context.node.inputs.map((_, index) => {
    const end = start + staticShape(context.input(index))[axis]!;
    const range = { axis, start, end };
    start = end;
    return context.needs(index) ? op.slice(context.gradient, [range]) : undefined;
  });
};

/** The parts' gradients side by side; zero for a part that nothing used. */
const split: GradientRule = (context) => {
  const x = context.input(0);
  const axis = positive(intOf(context.attributes, "axis", 0), x.shape.length);
  const parts = context.node.outputs.map((_, index) => {
    const gradient = context.gradients[index];
    if (gradient) return gradient;
    return op.expand(context.builder.scalar(0), staticShape(context.output(index)));
  });
  return [op.concat(parts as [Value, ...Value[]], axis)];
};

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

function slicedRanges(context: GradientContext): Range[] {
  const shape = staticShape(context.input(0));
  const starts = known(context, 1, "starts") ?? [];
  const ends = known(context, 2, "ends") ?? [];
  const axes = known(context, 3, "axes") ?? starts.map((_, index) => index);
  const steps = known(context, 4, "steps") ?? starts.map(() => 1);
  return axes.map((given, index) => {
    const axis = positive(given, shape.length);
    const step = steps[index]!;
    return { axis, step, ...sliceIndices(shape[axis]!, starts[index]!, ends[index]!, step) };
  });
}

/** Zeros around what was cut out; strides are undone by spreading the gradient first. */
const slice: GradientRule = (context) => {
  const shape = staticShape(context.input(0));
  const begin = shape.map(() => 0);
  const end = shape.map(() => 0);
  let { gradient } = context;
  for (const { axis, start, count, step } of slicedRanges(context)) {
    const reach = (count - 1) * Math.abs(step);
    if (step < 0)
      gradient = op.slice(gradient, [{ axis, start: -1, end: Number.MIN_SAFE_INTEGER, step: -1 }]);
    if (Math.abs(step) > 1) gradient = dilated(gradient, axis, Math.abs(step));
    const first = step < 0 ? start - reach : start;
    begin[axis] = first;
    end[axis] = shape[axis]! - first - reach - 1;
  }
  return [op.pad(gradient, [...begin, ...end])];
};

/** The elements along an axis with `step - 1` zeros between neighbours. */
function dilated(x: Value, axis: number, step: number): Value {
  const shape = staticShape(x);
  const count = shape[axis]!;
  const apart = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
  const ends = apart.map((_, index) => (index === axis + 1 ? step - 1 : 0));
  const spread = op.pad(op.reshape(x, apart), [...apart.map(() => 0), ...ends]);
  const joined = op.reshape(spread, [
    ...shape.slice(0, axis),
    count * step,
    ...shape.slice(axis + 1),
  ]);
  return op.slice(joined, [{ axis, start: 0, end: (count - 1) * step + 1 }]);
}

/** Constant padding is cut off; reflected and repeated elements add to where they came from. */
const pad: GradientRule = (context) => {
  const shape = staticShape(context.input(0));
  const amounts = known(context, 1, "pads") ?? intsOf(context.attributes, "pads") ?? [];
  const axes = known(context, 3, "axes") ?? shape.map((_, axis) => axis);
  const mode = stringOf(context.attributes, "mode", "constant");
  let { gradient } = context;
  axes.forEach((given, index) => {
    const axis = positive(given, shape.length);
    const [begin, end] = [amounts[index]!, amounts[index + axes.length]!];
    gradient =
      mode === "constant" || (begin <= 0 && end <= 0)
        ? unpadded(gradient, axis, { begin, end, size: shape[axis]! })
        : folded(gradient, axis, { begin, end, size: shape[axis]!, mode });
  });
  return [gradient];
};

function unpadded(
  gradient: Value,
  axis: number,
  { begin, end, size }: { begin: number; end: number; size: number },
): Value {
  const [cutBegin, cutEnd] = [Math.max(0, -begin), Math.max(0, -end)];
  const start = Math.max(0, begin);
  const kept = size - cutBegin - cutEnd;
  const isWhole = begin <= 0 && end <= 0;
  const inner = isWhole ? gradient : op.slice(gradient, [{ axis, start, end: start + kept }]);
  return cutBegin === 0 && cutEnd === 0 ? inner : between(inner, axis, cutBegin, cutEnd);
}

function folded(
  gradient: Value,
  axis: number,
  { begin, end, size, mode }: { begin: number; end: number; size: number; mode: string },
): Value {
  const sources = Array.from({ length: size + begin + end }, (_, position) =>
    sourcePosition(position - begin, size, mode),
  );
  return scatteredAdd(gradient, sources, axis, size);
}

/** Which element lies at `position` of the padded axis. Source: ONNX Pad-21. */
function sourcePosition(position: number, size: number, mode: string): number {
  if (mode === "edge") return Math.min(size - 1, Math.max(0, position));
  if (mode === "wrap") return ((position % size) + size) % size;
  const period = Math.max(1, 2 * (size - 1));
  const reduced = ((position % period) + period) % period;
  return reduced < size ? reduced : period - reduced;
}

/** Sums the slices along `axis` into `size` places: place[i] += slice[k] where sources[k] = i. */
function scatteredAdd(x: Value, sources: readonly number[], axis: number, size: number): Value {
  const { builder } = x;
  const shape = staticShape(x);
  const target = shape.map((length, index) => (index === axis ? size : length));
  const column = shape.map((length, index) => (index === axis ? length : 1));
  const places = op.expand(op.reshape(builder.integers(sources), column), shape);
  const zeros = op.expand(builder.scalar(0), target);
  return op.scatterElements(zeros, places, x, { axis, reduction: "add" });
}

/** The tensor with zeros before and after it along an axis. */
function between(x: Value, axis: number, before: number, after: number): Value {
  const only = (amount: number) => x.shape.map((_, index) => (index === axis ? amount : 0));
  return op.pad(x, [...only(before), ...only(after)]);
}

/** Gradients add up where an index occurs more than once. A range of indices is a slice. */
const gather: GradientRule = (context) => {
  const [x, indices] = [context.input(0), context.input(1)];
  const shape = staticShape(x);
  const axis = positive(intOf(context.attributes, "axis", 0), shape.length);
  const size = shape[axis]!;
  const picked = staticShape(indices).reduce((a, b) => a * b, 1);
  const flat = op.reshape(context.gradient, [
    ...shape.slice(0, axis),
    picked,
    ...shape.slice(axis + 1),
  ]);
  if (indices.constant) {
    const sources = toNumbers(indices.constant).map((index) => positive(index, size));
    const isRange = sources.every((source, index) => source === sources[0]! + index);
    return [
      isRange
        ? between(flat, axis, sources[0]!, size - sources[0]! - picked)
        : scatteredAdd(flat, sources, axis, size),
    ];
  }
  const column = shape.map((_, index) => (index === axis ? picked : 1));
  const places = op.expand(op.reshape(indices, column), staticShape(flat));
  const zeros = op.expand(context.builder.scalar(0), shape);
  return [op.scatterElements(zeros, places, flat, { axis, reduction: "add" })];
};

const depthToSpace: GradientRule = (context) => {
  const blocksize = intOf(context.attributes, "blocksize", 1);
  if (stringOf(context.attributes, "mode", "DCR") === "DCR")
    return [op.spaceToDepth(context.gradient, blocksize)];
  const [n, c, h, w] = staticShape(context.input(0));
  const block = [n!, c! / blocksize ** 2, h!, blocksize, w!, blocksize];
  const parts = op.transpose(op.reshape(context.gradient, block), [0, 1, 3, 5, 2, 4]);
  return [op.reshape(parts, [n!, c!, h!, w!])];
};

/** Each copy's gradient adds up. */
const tile: GradientRule = (context) => {
  const shape = staticShape(context.input(0));
  const repeats = known(context, 1, "repeats") ?? shape.map(() => 1);
  const apart = shape.flatMap((size, axis) => [repeats[axis]!, size]);
  const axes = shape.map((_, axis) => 2 * axis);
  return [op.reduceSum(op.reshape(context.gradient, apart), { axes, keepsDims: false })];
};

export const REARRANGEMENT_GRADIENTS: GradientTable = {
  Reshape: backToShape,
  Flatten: backToShape,
  Squeeze: backToShape,
  Unsqueeze: backToShape,
  Transpose: transpose,
  // The walk sums over what was expanded.
  Expand: ({ gradient }) => [gradient],
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: (context) => [
    op.depthToSpace(context.gradient, intOf(context.attributes, "blocksize", 1)),
  ],
  Shape: noGradient,
  Size: noGradient,
  ConstantOfShape: noGradient,
  Range: noGradient,
};
