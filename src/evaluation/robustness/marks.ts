/** What films carry that is no anatomy: burnt-in letters and black borders, as masks of 0 and 1. */

/** Five by seven dots a letter, a row of bits each, the leftmost highest. */
const LETTERS: Readonly<Record<string, readonly number[]>> = {
  P: [30, 17, 17, 30, 16, 16, 16],
  O: [14, 17, 17, 17, 17, 17, 14],
  R: [30, 17, 17, 30, 20, 18, 17],
  T: [31, 4, 4, 4, 4, 4, 4],
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  L: [16, 16, 16, 16, 16, 16, 31],
  E: [31, 16, 16, 30, 16, 16, 31],
};
const TEXT = "PORTABLE";

/** 1 where the letters are: at the upper left, `share` of the film's height tall. */
export function textMask(width: number, height: number, share: number): Float32Array {
  const dot = Math.max(1, Math.round((share * height) / 7));
  const mask = new Float32Array(width * height);
  [...TEXT].forEach((letter, place) => {
    LETTERS[letter]!.forEach((bits, row) => {
      for (let column = 0; column < 5; column++) {
        if (((bits >> (4 - column)) & 1) === 0) continue;
        const [left, top] = [dot * (2 + place * 6 + column), dot * (2 + row)];
        for (let y = top; y < Math.min(height, top + dot); y++)
          for (let x = left; x < Math.min(width, left + dot); x++) mask[y * width + x] = 1;
      }
    });
  });
  return mask;
}

/** 0 in a border of `share` of each side, 1 within. */
export function borderMask(width: number, height: number, share: number): Float32Array {
  const [across, down] = [Math.round(share * width), Math.round(share * height)];
  return Float32Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Number(x >= across && x < width - across && y >= down && y < height - down);
  });
}

/**
 * Where each pixel is taken from, `[1, H, W, 2]` on the scale of GridSample: turned, then shifted, then
 * enlarged by a factor across and one down.
 */
export function motionGrid(
  width: number,
  height: number,
  motion: { degrees?: number; shift?: number; across?: number; down?: number },
): Float32Array {
  const { degrees = 0, shift = 0, across = 1, down = 1 } = motion;
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const grid = new Float32Array(width * height * 2);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      // In pixels from the centre, so that a film that is not square is not sheared.
      const u = (x + 0.5 - width / 2) / across - shift * width;
      const v = (y + 0.5 - height / 2) / down - shift * height;
      grid[2 * (y * width + x)] = (2 * (cos * u + sin * v)) / width;
      grid[2 * (y * width + x) + 1] = (2 * (cos * v - sin * u)) / height;
    }
  return grid;
}
