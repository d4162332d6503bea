/** Typed constructors of resampling operators. */
import type { Value } from "../build.ts";
import { type Attribute, int, ints, string } from "../graph.ts";
import { float32 } from "../tensor.ts";

export interface ResizeOptions {
  readonly mode?: "nearest" | "linear" | "cubic" | undefined;
  readonly coordinates?:
    | "half_pixel"
    | "align_corners"
    | "asymmetric"
    | "pytorch_half_pixel"
    | undefined;
  readonly nearestMode?: "round_prefer_floor" | "floor" | "ceil" | "round_prefer_ceil" | undefined;
  readonly isAntialiased?: boolean | undefined;
  /** The axes that `sizes` or `scales` speak of; all of them by default. */
  readonly axes?: readonly number[] | undefined;
}

function attributesOf(options: ResizeOptions): Record<string, Attribute> {
  return {
    mode: string(options.mode ?? "nearest"),
    coordinate_transformation_mode: string(options.coordinates ?? "half_pixel"),
    ...(options.nearestMode ? { nearest_mode: string(options.nearestMode) } : {}),
    ...(options.isAntialiased ? { antialias: int(1) } : {}),
    ...(options.axes ? { axes: ints(options.axes) } : {}),
  };
}

export function resizeToSizes(
  x: Value,
  sizes: readonly number[],
  options: ResizeOptions = {},
): Value {
  return x.builder.node(
    "Resize",
    [x, undefined, undefined, x.builder.integers(sizes)],
    attributesOf(options),
  )[0]!;
}

export function resizeByScales(
  x: Value,
  scales: readonly number[],
  options: ResizeOptions = {},
): Value {
  const factors = x.builder.constant(float32([scales.length], scales));
  return x.builder.node("Resize", [x, undefined, factors], attributesOf(options))[0]!;
}

/** Sampling positions `[N, H, W, 2]` of the affine maps `theta` `[N, 2, 3]` for images `[N, C, H, W]`. */
export function affineGrid(
  theta: Value,
  size: readonly number[],
  { isAligned = false }: { readonly isAligned?: boolean } = {},
): Value {
  return theta.builder.node("AffineGrid", [theta, theta.builder.integers(size)], {
    align_corners: int(isAligned ? 1 : 0),
  })[0]!;
}

export function gridSample(
  x: Value,
  grid: Value,
  options: {
    readonly mode?: "linear" | "nearest" | "cubic";
    readonly padding?: "zeros" | "border" | "reflection";
    readonly isAligned?: boolean;
  } = {},
): Value {
  return x.builder.node("GridSample", [x, grid], {
    mode: string(options.mode ?? "linear"),
    padding_mode: string(options.padding ?? "zeros"),
    align_corners: int(options.isAligned ? 1 : 0),
  })[0]!;
}
