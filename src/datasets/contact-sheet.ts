/** Many films in one picture. */
import sharp from "sharp";

export interface SheetFilm {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export interface SheetOptions {
  readonly columns: number;
  /** Side of a cell in pixels; films are scaled to fit, their aspect ratio kept. */
  readonly cellSize: number;
}

const GAP = 4;

/** A PNG of the films row by row on a dark ground. */
export async function contactSheet(
  films: readonly SheetFilm[],
  { columns, cellSize }: SheetOptions,
): Promise<Uint8Array> {
  const rows = Math.max(1, Math.ceil(films.length / columns));
  const step = cellSize + GAP;
  const cells = await Promise.all(
    films.map(async ({ width, height, pixels }, index) => ({
      input: await sharp(pixels, { raw: { width, height, channels: 1 } })
        .resize(cellSize, cellSize, { fit: "contain", background: "#14181d" })
        .png()
        .toBuffer(),
      left: GAP + (index % columns) * step,
      top: GAP + Math.floor(index / columns) * step,
    })),
  );
  return sharp({
    create: {
      width: GAP + columns * step,
      height: GAP + rows * step,
      channels: 3,
      background: "#14181d",
    },
  })
    .composite(cells)
    .png()
    .toBuffer();
}
