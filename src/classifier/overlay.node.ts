/** A film beside its heat map, as one picture. */
import type { Fit } from "../images/index.portable.ts";
import { escapeHtml, NOT_FOR_CLINICAL_USE } from "../page.ts";
import type { HeatMap } from "./explainer.node.ts";
import type { Film } from "./film-batches.ts";

export interface OverlayFacts {
  readonly label: string;
  /** Of `class`. */
  readonly probability: number;
  /** What the heat map speaks for; the label where it is not given. */
  readonly class?: string | undefined;
  readonly method: string;
  /** How the film was made square; "squash" by default. */
  readonly fit?: Fit | undefined;
}

/** "Inferno" of matplotlib (CC0) at every tenth; between them colours are interpolated. */
const COLOURS = [
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

const LONG_SIDE = 640;
const GAP = 16;
const HEAD = 64;
const FOOT = 64;
/** Below it the lines of text would not fit. */
const LEAST_WIDTH = 760;
const GROUND = "#14181d";
/** How much of the film the strongest heat hides. */
const OPACITY = 0.65;

/**
 * A PNG: the film left, the heat over it right, at the film's own proportions (long side 640), with
 * label, probability, method, scale and notice. Heat runs from 0 to the largest of this film;
 * what speaks against the class (below 0) is left out.
 */
export async function overlayPng(
  film: Film,
  heatMap: HeatMap,
  facts: OverlayFacts,
): Promise<Buffer> {
  // Nothing but a picture needs it here, and reading films imports this file too.
  const { default: sharp } = await import("sharp");
  const scale = LONG_SIDE / Math.max(film.width, film.height);
  const width = Math.max(1, Math.round(film.width * scale));
  const height = Math.max(1, Math.round(film.height * scale));
  const grey = await sharp(film.pixels, {
    raw: { width: film.width, height: film.height, channels: 1 },
  })
    .resize(width, height, { fit: "fill" })
    .toColourspace("b-w")
    .raw()
    .toBuffer();
  const whole = Math.max(2 * width + 3 * GAP, LEAST_WIDTH);
  const left = Math.floor((whole - 2 * width - GAP) / 2);
  const size = { width, height };
  const all = { width: whole, height: HEAD + height + FOOT };
  return sharp({ create: { ...all, channels: 3, background: GROUND } })
    .composite([
      { input: grey, raw: { ...size, channels: 1 }, left, top: HEAD },
      {
        input: coloured(grey, size, heatMap, facts.fit),
        raw: { ...size, channels: 3 },
        left: left + width + GAP,
        top: HEAD,
      },
      { input: Buffer.from(textOf(facts, all)), left: 0, top: 0 },
    ])
    .png()
    .toBuffer();
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

/** Bilinear between the middles of the cells, at shares of width and height. */
function heatAt({ width, height, values }: HeatMap, u: number, v: number): number {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [right, below] = [Math.min(width - 1, column + 1), Math.min(height - 1, row + 1)];
  const along = (line: number) => {
    const first = values[line * width + column]!;
    return first + (values[line * width + right]! - first) * (x - column);
  };
  return along(row) + (along(below) - along(row)) * (y - row);
}

function colourOf(heat: number): number[] {
  const place = heat * (COLOURS.length - 1);
  const index = Math.min(COLOURS.length - 2, Math.floor(place));
  return COLOURS[index]!.map(
    (colour, channel) => colour + (COLOURS[index + 1]![channel]! - colour) * (place - index),
  );
}

function textOf(facts: OverlayFacts, { width, height }: { width: number; height: number }) {
  const { label, probability, method, class: of = label } = facts;
  const stops = COLOURS.map(
    (colour, index) => `<stop offset="${index * 10}%" stop-color="rgb(${colour.join(",")})"/>`,
  ).join("");
  const line = (x: number, y: number, size: number, text: string) =>
    `<text x="${x}" y="${y}" font-size="${size}">${escapeHtml(text)}</text>`;
  const foot = height - FOOT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs><linearGradient id="heat">${stops}</linearGradient></defs>
<g font-family="sans-serif" fill="#e6e9ec">
${line(GAP, 28, 20, `${label} · probability of ${of} ${probability.toFixed(3)}`)}
${line(GAP, 52, 14, `Heat: what speaks for ${of}, by ${method}. ${NOT_FOR_CLINICAL_USE}.`)}
<rect x="${GAP}" y="${foot + 14}" width="240" height="14" fill="url(#heat)" stroke="#9aa4af"/>
${line(GAP, foot + 46, 13, "0")}
${line(GAP + 170, foot + 46, 13, "largest here")}
${line(GAP + 272, foot + 26, 13, "It shows where the network looked, not where disease is.")}
</g></svg>`;
}
