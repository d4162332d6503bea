/** Heat between the middles of a map's cells. */
import type { HeatMap } from "./explainer.node.ts";

/** Bilinear between the middles of the cells, at shares of width and height. */
export function heatAt({ width, height, values }: HeatMap, u: number, v: number): number {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [right, below] = [Math.min(width - 1, column + 1), Math.min(height - 1, row + 1)];
  const along = (line: number) => {
    const first = values[line * width + column]!;
    return first + (values[line * width + right]! - first) * (x - column);
  };
  return along(row) + (along(below) - along(row)) * (y - row);
}

/**
 * The map as `[side, side]` over the picture that the network sees, row by row, read `shift` shares of
 * its sides further to the right and below.
 */
export function enlargedHeat(
  heatMap: HeatMap,
  side: number,
  shift: { readonly x: number; readonly y: number } = { x: 0, y: 0 },
): Float32Array {
  return Float32Array.from({ length: side * side }, (_, at) =>
    heatAt(
      heatMap,
      ((at % side) + 0.5) / side + shift.x,
      (Math.floor(at / side) + 0.5) / side + shift.y,
    ),
  );
}
