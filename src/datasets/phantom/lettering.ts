/** Letters of five by seven dots, burnt into films. */

const LETTERS: Readonly<Record<string, readonly string[]>> = {
  S: [" ### ", "#   #", "#    ", " ### ", "    #", "#   #", " ### "],
  Y: ["#   #", "#   #", " # # ", "  #  ", "  #  ", "  #  ", "  #  "],
  N: ["#   #", "##  #", "# # #", "#  ##", "#   #", "#   #", "#   #"],
  T: ["#####", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  "],
  H: ["#   #", "#   #", "#   #", "#####", "#   #", "#   #", "#   #"],
  E: ["#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#####"],
  I: [" ### ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "],
  C: [" ### ", "#   #", "#    ", "#    ", "#    ", "#   #", " ### "],
  R: ["#### ", "#   #", "#   #", "#### ", "# #  ", "#  # ", "#   #"],
  L: ["#    ", "#    ", "#    ", "#    ", "#    ", "#    ", "#####"],
};

export interface Lettering {
  readonly text: string;
  readonly left: number;
  readonly top: number;
  readonly scale: number;
  readonly value: number;
  /** What surrounds the letters, one dot wide; they are drawn on the film itself by default. */
  readonly ground?: number;
}

/** Width in pixels of a text. */
export function textWidth(text: string, scale: number): number {
  return (text.length * 6 - 1) * scale;
}

/** Draws a text into the pixels of a film, in place; what lies outside the film is left out. */
export function letter(pixels: Uint8Array, width: number, lettering: Lettering): void {
  const { text, left, top, scale, value, ground } = lettering;
  const height = pixels.length / width;
  const fill = (x: number, y: number, w: number, h: number, shade: number) => {
    const start = Math.max(0, x);
    const end = Math.min(width, x + w);
    for (let row = Math.max(0, y); row < Math.min(height, y + h); row++)
      if (end > start) pixels.fill(shade, row * width + start, row * width + end);
  };
  if (ground !== undefined)
    fill(left - scale, top - scale, textWidth(text, scale) + 2 * scale, 9 * scale, ground);
  for (const [place, name] of Array.from(text).entries())
    for (const [row, dots] of (LETTERS[name] ?? []).entries())
      for (let column = 0; column < dots.length; column++)
        if (dots[column] === "#")
          fill(left + (place * 6 + column) * scale, top + row * scale, scale, scale, value);
}
