/** Heat over a film: its colours, where it is greatest, and the film under it. */
import type { Fit } from "../images/index.portable.ts";
import { heatAt } from "./enlarged-heat.ts";
import type { HeatMap } from "./explainer.node.ts";
import type { Film } from "./film-batches.ts";

/** "Inferno" of matplotlib (CC0) at every tenth; between them colours are interpolated. */
export const HEAT_COLOURS = [
  [0, 0, 4],
  [22, 11, 57],
  [66, 10, 104],
  [106, 23, 110],
  [147, 38, 103],
  [188, 55, 84],
  [221, 81, 58],
  [243, 120, 25],
  [252, 165, 10],
  [246, 215, 70],
  [252, 255, 164],
] as const;

/** How much of the film the strongest heat hides. */
const OPACITY = 0.65;

export interface HeatedFilm {
  readonly width: number;
  readonly height: number;
  /** A byte a pixel. */
  readonly grey: Buffer;
  /** The same under the heat, three bytes a pixel; heat runs from 0 to the map's largest. */
  heated(heatMap: HeatMap, fit?: Fit): Buffer;
}

/** The film with its longer side as given, at its own proportions. */
export async function filmForHeat(film: Film, longSide: number): Promise<HeatedFilm> {
  // Nothing but a picture needs it here, and reading films imports this file too.
  const { default: sharp } = await import("sharp");
  const scale = longSide / Math.max(film.width, film.height);
  const width = Math.max(1, Math.round(film.width * scale));
  const height = Math.max(1, Math.round(film.height * scale));
  const grey = await sharp(film.pixels, {
    raw: { width: film.width, height: film.height, channels: 1 },
  })
    .resize(width, height, { fit: "fill" })
    .toColourspace("b-w")
    .raw()
    .toBuffer();
  const size = { width, height };
  return { ...size, grey, heated: (heatMap, fit) => coloured(grey, size, heatMap, fit) };
}

/** Where the heat is greatest, as shares of the film's width and height; null where there is none. */
export function peakOf(
  { width, height, values }: HeatMap,
  film: Pick<Film, "width" | "height">,
  fit: Fit = "squash",
): { x: number; y: number } | null {
  const index = values.reduce((best, value, at) => (value > values[best]! ? at : best), 0);
  if (!(values[index]! > 0)) return null;
  const { x: spanX, y: spanY } = spans(film, fit);
  const inFilm = (share: number, span: number) =>
    Math.min(1, Math.max(0, (share - (1 - span) / 2) / span));
  return {
    x: inFilm(((index % width) + 0.5) / width, spanX),
    y: inFilm((Math.floor(index / width) + 0.5) / height, spanY),
  };
}

/** The shares of the square's sides that the film takes, in its middle. */
function spans({ width, height }: Pick<Film, "width" | "height">, fit: Fit) {
  if (fit === "squash") return { x: 1, y: 1 };
  const long = Math.max(width, height);
  return { x: width / long, y: height / long };
}

function coloured(
  grey: Uint8Array,
  size: { readonly width: number; readonly height: number },
  heatMap: HeatMap,
  fit: Fit = "squash",
): Buffer {
  const largest = heatMap.values.reduce((most, value) => Math.max(most, value), 0) || 1;
  const span = spans(size, fit);
  const picture = Buffer.alloc(size.width * size.height * 3);
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++) {
      const u = ((x + 0.5) / size.width - 0.5) * span.x + 0.5;
      const v = ((y + 0.5) / size.height - 0.5) * span.y + 0.5;
      const heat = Math.max(0, heatAt(heatMap, u, v)) / largest;
      const at = y * size.width + x;
      colourOf(heat).forEach((colour, channel) => {
        picture[at * 3 + channel] = grey[at]! + (colour - grey[at]!) * OPACITY * heat;
      });
    }
  return picture;
}

function colourOf(heat: number): number[] {
  const place = heat * (HEAT_COLOURS.length - 1);
  const index = Math.min(HEAT_COLOURS.length - 2, Math.floor(place));
  return HEAT_COLOURS[index]!.map(
    (colour, channel) => colour + (HEAT_COLOURS[index + 1]![channel]! - colour) * (place - index),
  );
}
