/** Films side by side on an HTML page. */
import { basename } from "node:path";
import sharp from "sharp";
import { readImage } from "../images/index.ts";
import { escapeHtml } from "../page.ts";
import type { Sample } from "./dataset.ts";

export interface FilmPicture {
  readonly key: string;
  /** Stands before the file's name; may be empty. */
  readonly caption: string;
  readonly width: number;
  readonly height: number;
  /** Null where the file cannot be read. */
  readonly jpeg: Uint8Array | null;
}

export const FILM_GRID_STYLE = `
.films { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem; }
.films figure { margin: 0; background: #0c0f12; border-radius: 6px; overflow: hidden; display: flex; flex-direction: column; }
.films img, .films .missing { width: 100%; height: 8.5rem; object-fit: contain; border-radius: 0; }
.films .missing { display: grid; place-items: center; color: #9aa4af; }
.films figcaption { background: var(--card); color: var(--quiet); font-size: .72rem; line-height: 1.35; padding: .3rem .4rem; overflow-wrap: anywhere; flex: 1; }
`;

/** The longer side of a picture in pixels, shown at half of it on ordinary screens. */
const SIDE = 280;

/** The film at `sample.path`, scaled for a page. */
export async function filmPicture(
  { path, key }: Pick<Sample, "path" | "key">,
  caption: string,
): Promise<FilmPicture> {
  const film = await readImage(path, { name: key }).catch(() => null);
  if (!film) return { key, caption, width: SIDE, height: SIDE, jpeg: null };
  const { width, height, pixels } = film;
  const { data, info } = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize(SIDE, SIDE, { fit: "inside" })
    .toColourspace("b-w")
    .jpeg({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { key, caption, width: info.width, height: info.height, jpeg: data };
}

/** The films side by side, captions below them; the page needs FILM_GRID_STYLE. */
export function filmGrid(films: readonly FilmPicture[]): string {
  const cells = films.map(({ key, caption, width, height, jpeg }) => {
    const text = escapeHtml([caption, basename(key)].filter(Boolean).join(": "));
    const image = jpeg
      ? `<img src="data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}" width="${width}" height="${height}" alt="${text}" title="${escapeHtml(key)}">`
      : '<div class="missing">not readable</div>';
    return `<figure>${image}<figcaption>${text}</figcaption></figure>`;
  });
  return `<div class="films">${cells.join("")}</div>`;
}
