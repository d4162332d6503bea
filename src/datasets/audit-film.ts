/** What the audit measures of one film. */
import { createHash } from "node:crypto";
import sharp from "sharp";
import { decodeImage, readImageBytes } from "../images/index.ts";

export interface FilmFacts {
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  /** Mean grey level and its standard deviation, 0 to 255. */
  readonly brightness: number;
  readonly contrast: number;
  /** Share of the outermost 4 % of the film that is nearly black. */
  readonly darkBorder: number;
  /** 256 comparisons of neighbouring areas; null for a flat film, which has none. */
  readonly hash: Uint16Array | null;
}

const SIDE = 64;
const BORDER = 3;
const NEARLY_BLACK = 12;
const HASH_SIDE = 16;
const FLAT = 4;

/** The facts of a film. Throws the errors of `readImage`. */
export async function filmFacts(path: string, name: string): Promise<FilmFacts> {
  const bytes = await readImageBytes(path, { name });
  const { width, height, pixels } = await decodeImage(bytes, { name });
  const raw = { raw: { width, height, channels: 1 as const } };
  const small = await reduced(pixels, raw, SIDE, SIDE);
  const brightness = small.reduce((sum, value) => sum + value, 0) / small.length;
  const variance = small.reduce((sum, value) => sum + (value - brightness) ** 2, 0) / small.length;
  const contrast = Math.sqrt(variance);
  return {
    width,
    height,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    brightness,
    contrast,
    darkBorder: darkBorder(small),
    hash:
      contrast < FLAT ? null : differenceHash(await reduced(pixels, raw, HASH_SIDE + 1, HASH_SIDE)),
  };
}

async function reduced(
  pixels: Uint8Array,
  options: { raw: { width: number; height: number; channels: 1 } },
  width: number,
  height: number,
): Promise<Uint8Array> {
  return sharp(pixels, options)
    .resize(width, height, { fit: "fill" })
    .extractChannel(0)
    .raw()
    .toBuffer();
}

function darkBorder(small: Uint8Array): number {
  let dark = 0;
  let total = 0;
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      if (Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) >= BORDER) continue;
      total++;
      if (small[y * SIDE + x]! < NEARLY_BLACK) dark++;
    }
  return dark / total;
}

/** Source: Krawetz 2013, "Kind of Like That" (dHash), at 16 x 16 comparisons. */
function differenceHash(grid: Uint8Array): Uint16Array {
  const hash = new Uint16Array(HASH_SIDE);
  for (let y = 0; y < HASH_SIDE; y++)
    for (let x = 0; x < HASH_SIDE; x++) {
      const at = y * (HASH_SIDE + 1) + x;
      if (grid[at]! < grid[at + 1]!) hash[y]! |= 1 << x;
    }
  return hash;
}
