/** Typed constructors of operators that move or select elements. */
import type { Value } from "../build.ts";
import { int, ints, string } from "../graph.ts";

/** 0 keeps the dimension, one -1 takes what is left. */
export function reshape(x: Value, shape: readonly number[]): Value {
  return x.builder.node("Reshape", [x, x.builder.integers(shape)])[0]!;
}

/** Reshapes to a shape that is computed in the graph. */
export function reshapeTo(x: Value, shape: Value): Value {
  return x.builder.node("Reshape", [x, shape])[0]!;
}

export function flatten(x: Value, axis = 1): Value {
  return x.builder.node("Flatten", [x], { axis: int(axis) })[0]!;
}

export function transpose(x: Value, perm: readonly number[]): Value {
  return x.builder.node("Transpose", [x], { perm: ints(perm) })[0]!;
}

export function squeeze(x: Value, axes: readonly number[]): Value {
  return x.builder.node("Squeeze", [x, x.builder.integers(axes)])[0]!;
}

export function unsqueeze(x: Value, axes: readonly number[]): Value {
  return x.builder.node("Unsqueeze", [x, x.builder.integers(axes)])[0]!;
}

export function expand(x: Value, shape: readonly number[]): Value {
  return x.builder.node("Expand", [x, x.builder.integers(shape)])[0]!;
}

export function concat(parts: readonly [Value, ...Value[]], axis: number): Value {
  return parts[0].builder.node("Concat", parts, { axis: int(axis) })[0]!;
}

export function split(x: Value, sizes: readonly number[], axis: number): Value[] {
  return x.builder.node(
    "Split",
    [x, x.builder.integers(sizes)],
    { axis: int(axis) },
    { outputs: sizes.length },
  );
}

export interface SliceRange {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step?: number | undefined;
}

export function slice(x: Value, ranges: readonly SliceRange[]): Value {
  const list = (pick: (range: SliceRange) => number) => x.builder.integers(ranges.map(pick));
  return x.builder.node("Slice", [
    x,
    list((range) => range.start),
    list((range) => range.end),
    list((range) => range.axis),
    list((range) => range.step ?? 1),
  ])[0]!;
}

export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/** `pads`: begin of every axis, then end of every axis; negative ones crop. */
export function pad(
  x: Value,
  pads: readonly number[],
  { mode = "constant", value }: { readonly mode?: PadMode; readonly value?: number } = {},
): Value {
  const filler = value === undefined ? undefined : x.builder.scalar(value);
  return x.builder.node("Pad", [x, x.builder.integers(pads), filler], { mode: string(mode) })[0]!;
}

export function gather(x: Value, indices: Value, axis = 0): Value {
  return x.builder.node("Gather", [x, indices], { axis: int(axis) })[0]!;
}

export function gatherElements(x: Value, indices: Value, axis: number): Value {
  return x.builder.node("GatherElements", [x, indices], { axis: int(axis) })[0]!;
}

export function scatterElements(
  x: Value,
  indices: Value,
  updates: Value,
  { axis = 0, reduction = "none" }: { axis?: number; reduction?: "none" | "add" } = {},
): Value {
  return x.builder.node("ScatterElements", [x, indices, updates], {
    axis: int(axis),
    reduction: string(reduction),
  })[0]!;
}

export function scatterND(
  x: Value,
  indices: Value,
  updates: Value,
  reduction: "none" | "add" = "none",
): Value {
  return x.builder.node("ScatterND", [x, indices, updates], { reduction: string(reduction) })[0]!;
}

export function tile(x: Value, repeats: readonly number[]): Value {
  return x.builder.node("Tile", [x, x.builder.integers(repeats)])[0]!;
}

export function depthToSpace(x: Value, blocksize: number, mode: "DCR" | "CRD" = "DCR"): Value {
  return x.builder.node("DepthToSpace", [x], { blocksize: int(blocksize), mode: string(mode) })[0]!;
}

export function spaceToDepth(x: Value, blocksize: number): Value {
  return x.builder.node("SpaceToDepth", [x], { blocksize: int(blocksize) })[0]!;
}

/** The shape as an int64 vector. */
export function shapeOf(x: Value): Value {
  return x.builder.node("Shape", [x])[0]!;
}
