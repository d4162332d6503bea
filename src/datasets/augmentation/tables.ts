/** Contents of the graph's constants that the drawing of numbers points into. */
import { letter } from "../phantom/lettering.ts";

export const NOISE_TABLE = 1 << 17;

/** Letters that films carry for a side, a view or a department. */
export const GLYPHS = ["R", "L", "E", "H", "S", "T"] as const;

/** Pixels of a glyph's picture; one dark dot around five by seven. */
export const GLYPH_WIDTH = 7;
export const GLYPH_HEIGHT = 9;

/** The letters one after the other, 1 where they are bright. */
export function glyphPictures(): Float32Array {
  const pictures = GLYPHS.map((text) => {
    const pixels = new Uint8Array(GLYPH_WIDTH * GLYPH_HEIGHT);
    letter(pixels, GLYPH_WIDTH, { text, left: 1, top: 1, scale: 1, value: 1 });
    return [...pixels];
  });
  return Float32Array.from(pictures.flat());
}
