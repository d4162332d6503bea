/** What the audit measures of one film. */
import { hash } from "node:crypto";
import sharp from "sharp";
import { decodeImage, readImageBytes } from "../images/index.ts";
import { filmHash, HASH_GRID } from "./near-duplicates.ts";

export interface FilmFacts {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Mean grey level and its standard deviation, 0 to 255. */
  readonly brightness: number;
  readonly contrast: number;
  /** Shares of the outermost 4 % of the film that are nearly black and nearly white. */
  readonly darkBorder: number;
  readonly whiteBorder: number;
  /** Share of the whole film that is nearly white. */
  readonly white: number;
  /** See near-duplicates.ts; null for a film with nothing on it, which resembles any other such. */
  readonly hash: Uint32Array | null;
}

/** Cells of the hash's grid, and pixels of a cell's side in the reduced film. */
const CELL = 4;
const SIDE = HASH_GRID * CELL;
const BORDER = 3;
const NEARLY_BLACK = 12;
const NEARLY_WHITE = 243;
const FLAT = 4;

/** The facts of a film. Throws the errors of `readImage`. */
export async function filmFacts(path: string, name: string): Promise<FilmFacts> {
  const bytes = await readImageBytes(path, { name });
  const { width, height, pixels } = await decodeImage(bytes, { name });
  const reduced = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize(SIDE, SIDE, { fit: "fill" })
    .extractChannel(0)
    .raw()
    .toBuffer();
  const brightness = mean(reduced);
  const contrast = Math.sqrt(mean(Float64Array.from(reduced, (v) => (v - brightness) ** 2)));
  const border = reduced.filter((_, at) => isBorder(at % SIDE, Math.floor(at / SIDE)));
  return {
    width,
    height,
    bytes: bytes.length,
    sha256: hash("sha256", bytes),
    brightness,
    contrast,
    darkBorder: share(border, (value) => value < NEARLY_BLACK),
    whiteBorder: share(border, (value) => value > NEARLY_WHITE),
    white: share(reduced, (value) => value > NEARLY_WHITE),
    hash: contrast < FLAT ? null : filmHash(cellsOf(reduced)),
  };
}

function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
}

function share(values: Uint8Array, isCounted: (value: number) => boolean): number {
  return values.filter(isCounted).length / values.length;
}

const isBorder = (x: number, y: number): boolean =>
  Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) < BORDER;

/** Sums over the grid's cells. */
function cellsOf(reduced: Uint8Array): Float64Array {
  const cells = new Float64Array(HASH_GRID * HASH_GRID);
  reduced.forEach((value, at) => {
    const x = Math.floor((at % SIDE) / CELL);
    const y = Math.floor(at / SIDE / CELL);
    cells[y * HASH_GRID + x]! += value;
  });
  return cells;
}
