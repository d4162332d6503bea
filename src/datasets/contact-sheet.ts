/** Many films in one picture. */
import sharp, { type OverlayOptions } from "sharp";
import { escapeHtml } from "../page.ts";

export interface SheetFilm {
  readonly width: number;
  readonly height: number;
  /** Grey, row-major. */
  readonly pixels: Uint8Array;
  /** Written below the film, where the system has a font. */
  readonly caption?: string | undefined;
}

export interface SheetOptions {
  readonly columns: number;
  /** Side of a cell in pixels; films are scaled to fit, their aspect ratio kept. */
  readonly cellSize: number;
}

const GAP = 4;
const CAPTION = 18;
const GROUND = "#181818";

/** A grey PNG of the films row by row on a dark ground. */
export async function contactSheet(
  films: readonly SheetFilm[],
  { columns, cellSize }: SheetOptions,
): Promise<Uint8Array> {
  const rows = Math.max(1, Math.ceil(films.length / columns));
  const captionHeight = films.some(({ caption }) => caption) ? CAPTION : 0;
  const placeOf = (index: number) => ({
    left: GAP + (index % columns) * (cellSize + GAP),
    top: GAP + Math.floor(index / columns) * (cellSize + GAP + captionHeight),
  });
  const cells = await Promise.all(
    films.map(async (film, index): Promise<OverlayOptions[]> => {
      const { left, top } = placeOf(index);
      const input = await cellOf(film, cellSize);
      const caption = { input: captionOf(film.caption ?? "", cellSize), left, top: top + cellSize };
      return film.caption ? [{ input, left, top }, caption] : [{ input, left, top }];
    }),
  );
  return sharp({
    create: {
      width: GAP + columns * (cellSize + GAP),
      height: GAP + rows * (cellSize + GAP + captionHeight),
      channels: 3,
      background: GROUND,
    },
  })
    .composite(cells.flat())
    .toColourspace("b-w")
    .png()
    .toBuffer();
}

function cellOf({ width, height, pixels }: SheetFilm, cellSize: number): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize(cellSize, cellSize, { fit: "contain", background: GROUND })
    .png()
    .toBuffer();
}

function captionOf(text: string, width: number): Buffer {
  const fitting = text.slice(0, Math.floor(width / 6.5));
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${CAPTION}"><text x="2" y="13" font-family="sans-serif" font-size="12" fill="#e6e9ec">${escapeHtml(fitting)}</text></svg>`,
  );
}
