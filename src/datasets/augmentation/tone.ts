/** What scanners do to greys, on a scale of 0 to 1: tone curve, shading, local contrast. */
import { float32, operators as op, type Value } from "../../onnx/index.ts";
import { column } from "./row.ts";

/**
 * `x + x (1 - x) (arch + bend (1 - 2x))`: black and white stay, the middle rises or steepens. With
 * both within a half of zero its slope, `1 + arch (1 - 2x) + bend (1 - 6x + 6x^2)`, is never below 0.
 */
export function bent(x: Value, rows: Value): Value {
  const one = x.builder.scalar(1);
  const greys = op.clip(x, 0, 1);
  const rest = op.sub(one, greys);
  const bends = op.add(column(rows, "arch"), op.mul(column(rows, "bend"), op.sub(rest, greys)));
  return op.add(greys, op.mul(op.mul(greys, rest), bends));
}

/** Brighter towards one edge, darker towards the opposite, as beams are that do not fall straight. */
export function shaded(x: Value, rows: Value): Value {
  const { builder } = x;
  const size = Number(x.shape[2]);
  const positions = Float32Array.from({ length: size }, (_, at) => (2 * at + 1) / size - 1);
  const ramp = (dims: readonly number[]) => builder.constant(float32(dims, positions));
  const across = op.mul(ramp([1, 1, 1, size]), column(rows, "shadeX"));
  const down = op.mul(ramp([1, 1, size, 1]), column(rows, "shadeY"));
  return op.mul(x, op.add(op.add(across, builder.scalar(1)), down));
}

/** What a cell of the wide surroundings is: a sixteenth of the size would see a rib, not a lung. */
const CELL = 16;

/** More or less of what stands out from its wider surroundings. */
export function enhanced(x: Value, rows: Value): Value {
  const size = Number(x.shape[2]);
  const cells = Math.max(2, Math.round(size / CELL));
  const resized = (image: Value, side: number, isAntialiased: boolean) =>
    op.resizeToSizes(image, [side, side], { mode: "linear", isAntialiased, axes: [2, 3] });
  const surroundings = resized(resized(x, cells, true), size, false);
  return op.add(x, op.mul(op.sub(x, surroundings), column(rows, "localContrast")));
}
