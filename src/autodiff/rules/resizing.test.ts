import { describe } from "vitest";
import { checkGradients } from "../../../test/support/gradient-check.ts";
import { normal, type OperatorCase } from "../../../test/support/operator-case.ts";
import { float32, operators as op, string, type Value } from "../../onnx/index.ts";
import { RESIZING_GRADIENTS } from "./resizing.ts";

const COORDINATES = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] as const;
const NEAREST = ["round_prefer_floor", "floor", "ceil", "round_prefer_ceil"] as const;

const SIZES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["twice as large", [1, 2, 3, 2], [1, 2, 6, 4]],
  ["larger by no whole factor", [2, 1, 3, 4], [2, 1, 5, 7]],
  ["smaller", [1, 2, 6, 5], [1, 2, 3, 2]],
  ["one axis up, one down", [1, 1, 3, 6], [1, 1, 5, 4]],
  ["to one pixel", [1, 2, 3, 4], [1, 2, 1, 1]],
];

const CASES: readonly OperatorCase[] = [
  ...SIZES.flatMap(([title, from, to]) =>
    COORDINATES.flatMap((coordinates) => [
      {
        operator: "Resize",
        title: `linear, ${coordinates}, ${title}`,
        operands: [normal(from)],
        build: (x: Value) => op.resizeToSizes(x, to, { mode: "linear", coordinates }),
      },
      ...NEAREST.map((nearestMode) => ({
        operator: "Resize",
        title: `nearest by ${nearestMode}, ${coordinates}, ${title}`,
        operands: [normal(from)],
        build: (x: Value) => op.resizeToSizes(x, to, { mode: "nearest", coordinates, nearestMode }),
      })),
    ]),
  ),
  {
    operator: "Resize",
    title: "linear by scales that leave a fraction",
    operands: [normal([1, 1, 5, 4])],
    build: (x) => op.resizeByScales(x, [1, 1, 1.5, 0.7], { mode: "linear" }),
  },
  {
    operator: "Resize",
    title: "nearest by scales that leave a fraction",
    operands: [normal([1, 1, 5, 4])],
    build: (x) =>
      op.resizeByScales(x, [1, 1, 1.5, 0.7], { coordinates: "asymmetric", nearestMode: "floor" }),
  },
  ...COORDINATES.map((coordinates) => ({
    operator: "Resize",
    title: `linear by scales, an axis that keeps its size, ${coordinates}`,
    operands: [normal([1, 1, 4, 4])],
    build: (x: Value) => op.resizeByScales(x, [1, 1, 1.23, 1.5], { mode: "linear", coordinates }),
  })),
  {
    operator: "Resize",
    title: "nearest by scales, an axis that keeps its size",
    operands: [normal([1, 1, 4, 3])],
    build: (x) =>
      op.resizeByScales(x, [1, 1, 1.23, 2], { coordinates: "asymmetric", nearestMode: "floor" }),
  },
  {
    operator: "Resize",
    title: "by scales so near to one that no size changes",
    operands: [normal([1, 1, 4, 5])],
    build: (x) => op.resizeByScales(x, [1, 1, 1.23, 1.1], { mode: "linear" }),
  },
  {
    operator: "Resize",
    title: "sizes of some axes",
    operands: [normal([1, 2, 3, 3])],
    build: (x) => op.resizeToSizes(x, [5, 6], { mode: "linear", axes: [2, -1] }),
  },
  {
    operator: "Resize",
    title: "scales of some axes",
    operands: [normal([1, 2, 3, 3])],
    build: (x) => op.resizeByScales(x, [2, 1.5], { mode: "linear", axes: [3, 2] }),
  },
  ...["half_pixel_symmetric", "tf_half_pixel_for_nn"].map((coordinates) => ({
    operator: "Resize",
    title: `by scales, ${coordinates}`,
    operands: [normal([1, 1, 3, 5])],
    build: (x: Value) =>
      x.builder.node("Resize", [x, undefined, x.builder.constant(float32([4], [1, 1, 1.5, 0.7]))], {
        coordinate_transformation_mode: string(coordinates),
        nearest_mode: string("floor"),
      })[0]!,
  })),
  {
    operator: "Resize",
    title: "linear by scales, half_pixel_symmetric",
    operands: [normal([1, 1, 3, 5])],
    build: (x) =>
      x!.builder.node(
        "Resize",
        [x, undefined, x!.builder.constant(float32([4], [1, 1, 1.5, 0.7]))],
        {
          coordinate_transformation_mode: string("half_pixel_symmetric"),
          mode: string("linear"),
        },
      )[0]!,
  },
  {
    operator: "Resize",
    title: "one dimension",
    operands: [normal([2, 2, 4])],
    build: (x) => op.resizeToSizes(x, [2, 2, 7], { mode: "linear" }),
  },
];

describe("gradients of resampling", () => {
  checkGradients(RESIZING_GRADIENTS, CASES);
});
