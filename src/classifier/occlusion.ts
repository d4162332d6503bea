/**
 * Occlusion: how far the logit falls when a part of the film is covered. A window of two by two
 * cells slides cell by cell; a cell's value is the mean over the windows that cover it.
 * Source: Zeiler and Fergus 2014, section 4.2.
 */
import { float32, type Graph, graphBuilder, operators as op } from "../onnx/index.ts";
import { type ClassifierParts, logitsOf, PICTURE } from "./network-of.ts";

/** Cells along a side. */
export const OCCLUSION_CELLS = 16;

/**
 * Inputs `picture` `[1, 1, S, S]` and `row` int64 `[1]`; output `logits` `[cells, L]`: of the picture
 * with each window of that row covered by the picture's mean, and last of the picture as it is.
 */
export function occlusionGraph({ network, size }: ClassifierParts, cells: number): Graph {
  const builder = graphBuilder();
  const picture = builder.input(PICTURE, "float32", [1, 1, size, size]);
  const row = builder.input("row", "int64", [1]);
  const edge = (cell: number) => Math.round((cell * size) / cells);
  const covered = (window: number) =>
    Array.from({ length: size }, (_, at) =>
      window < cells - 1 && at >= edge(window) && at < edge(window + 2) ? 1 : 0,
    );
  const windows = Array.from({ length: cells }, (_, window) => covered(window));
  const rows = builder.constant(float32([cells, size], windows.flat()));
  const columns = builder.constant(float32([cells, 1, 1, size], windows.flat()));
  const mask = op.mul(op.reshape(op.gather(rows, row), [1, 1, size, 1]), columns);
  const mean = op.reduceMean(picture, { axes: [1, 2, 3] });
  const pictures = op.add(picture, op.mul(mask, op.sub(mean, picture)));
  builder.output(logitsOf(pictures, network), "logits");
  return builder.build("occlusion");
}

/** Falls `[cells, cells]` from those of the windows, row by row. */
export function cellsOf(falls: readonly (readonly number[])[], cells: number): Float32Array {
  const values = new Float32Array(cells * cells);
  for (let y = 0; y < cells; y++)
    for (let x = 0; x < cells; x++) {
      const over = falls.slice(Math.max(0, y - 1), y + 1);
      const around = over.flatMap((row) => row.slice(Math.max(0, x - 1), x + 1));
      values[y * cells + x] = around.reduce((sum, fall) => sum + fall, 0) / around.length;
    }
  return values;
}
