/** What lies over films and is no anatomy: erased rectangles, frames, burnt-in letters. */
import { float32, operators as op, type Value } from "../../onnx/index.ts";
import type { Column } from "./draw.ts";
import { column } from "./row.ts";
import { GLYPH_HEIGHT, GLYPH_WIDTH, GLYPHS, glyphPictures } from "./tables.ts";

/** Columns of a rectangle's sides, in units of the size. */
export interface Sides {
  readonly left: Column;
  readonly right: Column;
  readonly top: Column;
  readonly bottom: Column;
}

const FRAME: Sides = {
  left: "frameLeft",
  right: "frameRight",
  top: "frameTop",
  bottom: "frameBottom",
};
const BLANK: Sides = {
  left: "blankLeft",
  right: "blankRight",
  top: "blankTop",
  bottom: "blankBottom",
};

/** Whether each pixel's centre lies inside the rectangle, `[N, 1, S, S]`. */
export function within(x: Value, rows: Value, { left, right, top, bottom }: Sides): Value {
  const size = Number(x.shape[2]);
  const centres = Float32Array.from({ length: size }, (_, index) => (index + 0.5) / size);
  const along = (dims: readonly number[], low: Column, high: Column): Value => {
    const position = x.builder.constant(float32(dims, centres));
    return op.and(
      op.greaterOrEqual(position, column(rows, low)),
      op.less(position, column(rows, high)),
    );
  };
  return op.and(along([1, 1, 1, size], left, right), along([1, 1, size, 1], top, bottom));
}

/** One shade outside the frame's opening. */
export function framed(x: Value, rows: Value): Value {
  return op.where(within(x, rows, FRAME), x, column(rows, "frameFill"));
}

/** A corner made blank, then a letter burnt in: marks come and go, whatever the film shows. */
export function marked(x: Value, rows: Value): Value {
  const blanked = op.where(within(x, rows, BLANK), column(rows, "blankFill"), x);
  const share = op.mul(
    letters(x, rows),
    op.cast(op.greaterOrEqual(column(rows, "glyphFill"), x.builder.scalar(0)), "float32"),
  );
  return op.add(blanked, op.mul(share, op.sub(column(rows, "glyphFill"), blanked)));
}

/** 1 where each sample's letter is, `[N, 1, S, S]`. */
function letters(x: Value, rows: Value): Value {
  const { builder } = x;
  const dims = [GLYPHS.length, 1, GLYPH_HEIGHT, GLYPH_WIDTH];
  const pictures = builder.constant(float32(dims, glyphPictures()));
  const which = op.reshape(op.cast(column(rows, "glyph"), "int64"), [-1]);
  const entry = (name: Column) => op.reshape(column(rows, name), [-1, 1]);
  const nothing = op.mul(entry("glyphXX"), builder.scalar(0));
  const theta = op.concat(
    [entry("glyphXX"), nothing, entry("glyphX"), nothing, entry("glyphYY"), entry("glyphY")],
    1,
  );
  const grid = op.affineGrid(op.reshape(theta, [-1, 2, 3]), x.shape.map(Number));
  return op.gridSample(op.gather(pictures, which), grid, { mode: "linear", padding: "zeros" });
}
