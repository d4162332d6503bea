import { describe } from "vitest";
import { operators as op, string, type Value } from "../../../src/onnx/index.ts";
import { between, normal, type OperatorCase } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { RESIZING_KERNELS } from "./resizing.ts";

const COORDINATES = [
  "half_pixel",
  "align_corners",
  "asymmetric",
  "pytorch_half_pixel",
  "half_pixel_symmetric",
] as const;
const NEAREST = ["round_prefer_floor", "floor", "ceil", "round_prefer_ceil"];
const SIZES = [
  [1, 2, 6, 4],
  [1, 2, 5, 7],
  [1, 2, 2, 1],
];

function resized(
  x: Value,
  attributes: Readonly<Record<string, string>>,
  { sizes, scales }: { sizes?: readonly number[]; scales?: Value },
): Value {
  return x.builder.node(
    "Resize",
    [x, undefined, scales, sizes && x.builder.integers(sizes)],
    Object.fromEntries(Object.entries(attributes).map(([name, text]) => [name, string(text)])),
  )[0]!;
}

const CASES: readonly OperatorCase[] = [
  ...COORDINATES.map(
    (coordinates): OperatorCase => ({
      operator: "Resize",
      title: `linear, ${coordinates}`,
      operands: [normal([1, 2, 3, 4])],
      build: (...[x]: Value[]) =>
        SIZES.map((sizes) =>
          resized(x!, { mode: "linear", coordinate_transformation_mode: coordinates }, { sizes }),
        ),
    }),
  ),
  ...[...COORDINATES, "tf_half_pixel_for_nn"].flatMap((coordinates) =>
    NEAREST.map(
      (nearest): OperatorCase => ({
        operator: "Resize",
        title: `nearest by ${nearest}, ${coordinates}`,
        operands: [normal([1, 2, 3, 4])],
        build: (...[x]: Value[]) =>
          SIZES.map((sizes) =>
            resized(
              x!,
              { coordinate_transformation_mode: coordinates, nearest_mode: nearest },
              { sizes },
            ),
          ),
      }),
    ),
  ),
  {
    operator: "Resize",
    title: "scales that leave a fraction",
    operands: [normal([1, 1, 5, 4])],
    build: (x) => [
      op.resizeByScales(x!, [1, 1, 1.5, 0.7], { mode: "linear" }),
      op.resizeByScales(x!, [1, 1, 1.5, 0.7], { coordinates: "asymmetric", nearestMode: "floor" }),
    ],
  },
  {
    operator: "Resize",
    title: "some axes only",
    operands: [normal([1, 2, 3, 3])],
    build: (x) => [
      op.resizeToSizes(x!, [5, 6], { mode: "linear", axes: [2, -1] }),
      op.resizeByScales(x!, [2, 1.5], { mode: "linear", axes: [3, 2] }),
    ],
  },
  ...[false, true].map(
    (isAligned): OperatorCase => ({
      operator: "AffineGrid",
      title: isAligned ? "corners aligned" : "pixel borders aligned",
      operands: [normal([2, 2, 3])],
      build: (...[theta]: Value[]) => op.affineGrid(theta!, [2, 1, 3, 4], { isAligned }),
    }),
  ),
  ...(["linear", "nearest"] as const).flatMap((mode) =>
    (["zeros", "border", "reflection"] as const).flatMap((padding) =>
      [false, true].map(
        (isAligned): OperatorCase => ({
          operator: "GridSample",
          title: `${mode}, ${padding}${isAligned ? ", corners aligned" : ""}`,
          operands: [normal([2, 2, 4, 3]), between(-1.8, 1.8, [2, 3, 5, 2])],
          build: (...[x, grid]: Value[]) => op.gridSample(x!, grid!, { mode, padding, isAligned }),
        }),
      ),
    ),
  ),
];

describe("resampling kernels", () => {
  checkAgainstRuntime(RESIZING_KERNELS, CASES);
});
