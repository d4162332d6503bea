/** Shape rules of operators that move, select or make elements. */
import { type Dimension, intOf, intsOf, type Shape } from "../graph.ts";
import { int64, type Tensor, toNumbers } from "../tensor.ts";
import { broadcastShapes } from "./broadcast.ts";
import type { Inferred, Operand, ShapeContext, ShapeTable } from "./infer.ts";

const isKnown = (dim: Dimension): dim is number => typeof dim === "number";

export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The numbers of an operand that must be known while building. */
function known(context: ShapeContext, index: number): number[] | undefined {
  const operand = context.inputs[index];
  return operand?.constant ? toNumbers(operand.constant) : undefined;
}

/** The same of an operand that holds dimensions: those that are no numbers are symbols or null. */
function knownDimensions(context: ShapeContext, index: number): Shape | undefined {
  return known(context, index) ?? context.inputs[index]?.dimensions;
}

/** Axes from input 1 (current operator sets) or the attribute (older ones). */
function axesOf(context: ShapeContext): number[] | undefined {
  return known(context, 1) ?? intsOf(context.attributes, "axes")?.slice();
}

function product(shape: Shape): number | null {
  return shape.every(isKnown)
    ? shape.reduce<number>((total, dim) => total * (dim as number), 1)
    : null;
}

function reshaped(context: ShapeContext, shape: Shape, target: readonly number[]): Dimension[] {
  const isZeroCopied = intOf(context.attributes, "allowzero", 0) === 0;
  const dims: Dimension[] = target.map((dim, axis) =>
    dim === 0 && isZeroCopied ? (shape[axis] ?? null) : dim,
  );
  const open = dims.indexOf(-1);
  if (open >= 0) dims[open] = openDimension(shape, dims, open);
  const before = product(shape);
  const after = product(dims);
  if (before !== null && after !== null && before !== after)
    context.fail(`[${shape}] cannot become [${target}]`);
  return dims;
}

/** The size that -1 stands for; equal symbols on both sides cancel. */
function openDimension(shape: Shape, dims: readonly Dimension[], open: number): Dimension {
  const rest = dims.filter((_, axis) => axis !== open);
  const remaining = [...shape];
  for (const dim of rest) {
    const index = typeof dim === "string" ? remaining.indexOf(dim) : -1;
    if (index >= 0) remaining.splice(index, 1);
    else if (!isKnown(dim)) return null;
  }
  const divisor = rest.filter(isKnown).reduce((total, dim) => total * dim, 1);
  const symbols = remaining.filter((dim) => !isKnown(dim));
  const size = remaining.filter(isKnown).reduce((total, dim) => total * dim, 1) / divisor;
  if (symbols.length === 0) return size;
  return symbols.length === 1 && size === 1 ? symbols[0]! : null;
}

function take(source: Tensor, indices: readonly number[], dims: readonly number[]): Tensor {
  const values = toNumbers(source);
  return int64(
    dims,
    indices.map((index) => values[index < 0 ? index + values.length : index]!),
  );
}

const isFoldable = (operand: Operand): operand is Operand & { constant: Tensor } =>
  operand.constant?.type === "int64" && operand.shape.length <= 1;

function withContents(result: Inferred, operand: Operand): Inferred {
  if (!isFoldable(operand) || !result.shape.every(isKnown)) return result;
  return { ...result, constant: int64(result.shape as number[], toNumbers(operand.constant)) };
}

/** What is known of a vector of these dimensions. */
function vectorOf(dims: Shape): Pick<Inferred, "constant" | "dimensions"> {
  return dims.every(isKnown) ? { constant: int64([dims.length], dims) } : { dimensions: dims };
}

function slice(context: ShapeContext): readonly Inferred[] {
  const data = context.operand(0);
  const rank = data.shape.length;
  const starts = known(context, 1);
  const ends = known(context, 2);
  const axes = known(context, 3) ?? starts?.map((_, i) => i);
  const steps = context.inputs[4] ? known(context, 4) : starts?.map(() => 1);
  if (!starts || !ends || !axes || !steps)
    return context.fail("its bounds are computed at run time");
  const shape = [...data.shape];
  let indices: number[] | undefined;
  axes.forEach((axis, i) => {
    const target = positiveAxis(axis, rank);
    const size = shape[target]!;
    if (!isKnown(size)) {
      const isWhole = starts[i] === 0 && ends[i]! >= 2 ** 31 - 1 && steps[i] === 1;
      if (!isWhole) shape[target] = null;
      return;
    }
    const picked = sliceIndices(size, starts[i]!, ends[i]!, steps[i]!);
    shape[target] = picked.count;
    indices = Array.from({ length: picked.count }, (_, k) => picked.start + k * steps[i]!);
  });
  const result = { type: data.type, shape };
  if (!isFoldable(data) || rank !== 1 || !indices) return [result];
  return [{ ...result, constant: take(data.constant, indices, [indices.length]) }];
}

/** Start and count of a slice after clamping. Source: ONNX Slice-13. */
export function sliceIndices(
  size: number,
  start: number,
  end: number,
  step: number,
): { start: number; count: number } {
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const clamp = (value: number) => Math.min(high, Math.max(low, value < 0 ? value + size : value));
  const from = step > 0 ? clamp(start) : Math.max(0, clamp(start));
  const to = end < -size && step < 0 ? -1 : clamp(end);
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)) };
}

function gather(context: ShapeContext): readonly Inferred[] {
  const data = context.operand(0);
  const indices = context.operand(1);
  const axis = positiveAxis(intOf(context.attributes, "axis", 0), data.shape.length);
  const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
  const result = { type: data.type, shape };
  if (!isFoldable(data) || !indices.constant || !shape.every(isKnown)) return [result];
  return [{ ...result, constant: take(data.constant, toNumbers(indices.constant), shape) }];
}

function concat(context: ShapeContext): readonly Inferred[] {
  const operands = context.inputs.map((_, index) => context.operand(index));
  const first = operands[0]!;
  const axis = positiveAxis(intOf(context.attributes, "axis", 0), first.shape.length);
  const sizes = operands.map((operand) => operand.shape[axis]!);
  for (const { shape } of operands)
    for (const [i, dim] of shape.entries())
      if (i !== axis && isKnown(dim) && isKnown(first.shape[i]!) && dim !== first.shape[i])
        context.fail(`[${first.shape}] and [${shape}] do not join along axis ${axis}`);
  const total = sizes.every(isKnown)
    ? sizes.reduce<number>((sum, size) => sum + (size as number), 0)
    : null;
  const result = {
    type: first.type,
    shape: first.shape.map((dim, i) => (i === axis ? total : dim)),
  };
  if (total === null || first.type !== "int64" || first.shape.length !== 1) return [result];
  const parts = operands.map((_, index) => knownDimensions(context, index));
  if (!parts.every((part) => part !== undefined)) return [result];
  return [{ ...result, ...vectorOf(parts.flat()) }];
}

function split(context: ShapeContext): readonly Inferred[] {
  const { type, shape } = context.operand(0);
  const axis = positiveAxis(intOf(context.attributes, "axis", 0), shape.length);
  const size = shape[axis]!;
  const count = context.node.outputs.length;
  const sizes = known(context, 1) ?? intsOf(context.attributes, "split");
  return context.node.outputs.map((_, index) => {
    const chunk = isKnown(size) ? Math.ceil(size / count) : null;
    const even = chunk === null ? null : Math.min(chunk, (size as number) - index * chunk);
    return { type, shape: shape.map((dim, i) => (i === axis ? (sizes?.[index] ?? even) : dim)) };
  });
}

export const REARRANGEMENT_SHAPES: ShapeTable = {
  Slice: slice,
  Gather: gather,
  Concat: concat,
  Split: split,
  Constant: (context) => {
    const { attributes } = context;
    const value = attributes.value;
    if (value?.kind === "tensor")
      return [{ type: value.value.type, shape: value.value.dims, constant: value.value }];
    const list = attributes.value_ints ?? attributes.value_int;
    if (list?.kind === "ints" || list?.kind === "int") {
      const values = list.kind === "ints" ? list.value : [list.value];
      const shape = list.kind === "ints" ? [values.length] : [];
      return [{ type: "int64", shape, constant: int64(shape, values) }];
    }
    const floats = attributes.value_floats ?? attributes.value_float;
    if (floats?.kind === "floats") return [{ type: "float32", shape: [floats.value.length] }];
    return [{ type: "float32", shape: [] }];
  },
  ConstantOfShape: (context) => {
    const dims = known(context, 0);
    const value = context.attributes.value;
    const filler = value?.kind === "tensor" ? value.value : undefined;
    if (!dims) return context.fail("its shape is computed at run time");
    const result = { type: filler?.type ?? "float32", shape: dims } as const;
    if (filler?.type !== "int64" || dims.length > 1) return [result];
    const count = dims[0] ?? 1;
    return [
      { ...result, constant: int64(dims, Array<number>(count).fill(Number(filler.data[0]))) },
    ];
  },
  Shape: (context) => {
    const { shape } = context.operand(0);
    const start = intOf(context.attributes, "start", 0);
    const end = intOf(context.attributes, "end", shape.length);
    const dims = shape.slice(start, end);
    return [{ type: "int64", shape: [dims.length], ...vectorOf(dims) }];
  },
  Size: () => [{ type: "int64", shape: [] }],
  Reshape: (context) => {
    const data = context.operand(0);
    const target = known(context, 1);
    if (target) {
      const result = { type: data.type, shape: reshaped(context, data.shape, target) };
      return [withContents(result, data)];
    }
    const rank = context.operand(1).shape[0];
    if (!rank || !isKnown(rank)) return context.fail("the rank of its target shape is not known");
    return [{ type: data.type, shape: Array<Dimension>(rank).fill(null) }];
  },
  Flatten: (context) => {
    const { type, shape } = context.operand(0);
    const axis = positiveAxis(intOf(context.attributes, "axis", 1), shape.length);
    const outer = shape.slice(0, axis);
    const first = outer.length === 1 ? outer[0]! : product(outer);
    return [{ type, shape: [first, product(shape.slice(axis))] }];
  },
  Transpose: (context) => {
    const { type, shape } = context.operand(0);
    const order =
      intsOf(context.attributes, "perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
    return [{ type, shape: order.map((axis) => shape[axis]!) }];
  },
  Squeeze: (context) => {
    const data = context.operand(0);
    const rank = data.shape.length;
    const axes = axesOf(context)?.map((axis) => positiveAxis(axis, rank));
    const shape = data.shape.filter((dim, axis) => (axes ? !axes.includes(axis) : dim !== 1));
    return [withContents({ type: data.type, shape }, data)];
  },
  Unsqueeze: (context) => {
    const data = context.operand(0);
    const axes = axesOf(context) ?? context.fail("its axes are computed at run time");
    const rank = data.shape.length + axes.length;
    const places = new Set(axes.map((axis) => positiveAxis(axis, rank)));
    const rest = [...data.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (places.has(axis) ? 1 : rest.shift()!));
    return [withContents({ type: data.type, shape }, data)];
  },
  Expand: (context) => {
    const data = context.operand(0);
    const target = knownDimensions(context, 1);
    if (!target) return context.fail("its shape is computed at run time");
    const shape = broadcastShapes(data.shape, target);
    return [
      {
        type: data.type,
        shape: shape ?? context.fail(`[${data.shape}] does not expand to [${target}]`),
      },
    ];
  },
  Pad: (context) => {
    const { type, shape } = context.operand(0);
    const rank = shape.length;
    const pads = known(context, 1) ?? intsOf(context.attributes, "pads");
    const axes = known(context, 3) ?? shape.map((_, axis) => axis);
    if (!pads) {
      const touched = new Set(axes.map((axis) => positiveAxis(axis, rank)));
      return [{ type, shape: shape.map((dim, axis) => (touched.has(axis) ? null : dim)) }];
    }
    const padded = [...shape];
    axes.forEach((axis, i) => {
      const target = positiveAxis(axis, rank);
      const total = pads[i]! + pads[i + axes.length]!;
      const size = padded[target]!;
      padded[target] = isKnown(size) ? size + total : total === 0 ? size : null;
    });
    return [{ type, shape: padded }];
  },
  Tile: (context) => {
    const { type, shape } = context.operand(0);
    const repeats = known(context, 1) ?? context.fail("its repeats are computed at run time");
    const tiled = shape.map((dim, axis) =>
      isKnown(dim) ? dim * repeats[axis]! : repeats[axis] === 1 ? dim : null,
    );
    return [{ type, shape: tiled }];
  },
  GatherElements: (context) => [{ type: context.operand(0).type, shape: context.operand(1).shape }],
  ScatterElements: (context) => [
    { type: context.operand(0).type, shape: context.operand(0).shape },
  ],
  ScatterND: (context) => [{ type: context.operand(0).type, shape: context.operand(0).shape }],
  Trilu: (context) => [{ type: context.operand(0).type, shape: context.operand(0).shape }],
  Range: (context) => {
    const [start, limit, delta] = [0, 1, 2].map((index) => known(context, index)?.[0]);
    const isBounded = start !== undefined && limit !== undefined && delta !== undefined;
    const length = isBounded ? Math.max(0, Math.ceil((limit - start) / delta)) : null;
    return [{ type: context.operand(0).type, shape: [length] }];
  },
  OneHot: (context) => {
    const { shape } = context.operand(0);
    const axis = positiveAxis(intOf(context.attributes, "axis", -1), shape.length + 1);
    const depth = known(context, 1)?.[0] ?? null;
    return [
      {
        type: context.operand(2).type,
        shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)],
      },
    ];
  },
  DepthToSpace: (context) => {
    const { type, shape } = context.operand(0);
    const block = intOf(context.attributes, "blocksize", 1);
    const [n, c, h, w] = shape.map((dim) => (isKnown(dim) ? dim : null));
    const times = (dim: number | null | undefined, factor: number) =>
      isKnown(dim ?? null) ? dim! * factor : null;
    return [
      { type, shape: [n ?? shape[0]!, times(c, 1 / block ** 2), times(h, block), times(w, block)] },
    ];
  },
  SpaceToDepth: (context) => {
    const { type, shape } = context.operand(0);
    const block = intOf(context.attributes, "blocksize", 1);
    const [n, c, h, w] = shape.map((dim) => (isKnown(dim) ? dim : null));
    const times = (dim: number | null | undefined, factor: number) =>
      isKnown(dim ?? null) ? dim! * factor : null;
    return [
      {
        type,
        shape: [n ?? shape[0]!, times(c, block ** 2), times(h, 1 / block), times(w, 1 / block)],
      },
    ];
  },
};
