/** A film, and beside it the same film under its heat map. */
import sharp from "sharp";
import type { HeatMap } from "../classifier/index.node.ts";
import type { Fit, GreyImage } from "../images/index.ts";

/** Of the colour map inferno, dark to bright at even steps of lightness. */
const INFERNO = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
] as const;

/** The same as a CSS gradient, for a legend. */
export const HEAT_GRADIENT = `linear-gradient(to right, ${INFERNO.map((rgb) => `rgb(${rgb.join(" ")})`).join(", ")})`;

/** The longer side of the film in pixels. */
const SIDE = 360;
const GAP = 8;
/** What covers the film where the heat map is strongest. */
const OPACITY = 0.65;

/**
 * A JPEG of the film, with a heat map on its right a second time under the map's colours: the map's
 * strongest place is the brightest, whatever its value.
 */
export async function overlayPicture(
  film: GreyImage,
  heatMap: HeatMap | null,
  fit: Fit,
): Promise<Uint8Array> {
  const grey = await sharp(film.pixels, {
    raw: { width: film.width, height: film.height, channels: 1 },
  })
    .resize(SIDE, SIDE, { fit: "inside" })
    .toColourspace("b-w")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = grey.info;
  const colours = heatMap ? await heatOver(width, height, heatMap, fit) : null;
  const whole = colours ? 2 * width + GAP : width;
  const pixels = new Uint8Array(whole * height * 3);
  grey.data.forEach((level, index) => {
    const at = 3 * (Math.floor(index / width) * whole + (index % width));
    pixels.fill(level, at, at + 3);
    if (!colours) return;
    const heat = colours[index]! / 255;
    const right = at + 3 * (width + GAP);
    for (let channel = 0; channel < 3; channel++)
      pixels[right + channel] =
        level * (1 - OPACITY * heat) + OPACITY * heat * colourAt(heat, channel);
  });
  return sharp(pixels, { raw: { width: whole, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** The map as 0 to 255 over the film's pixels; the network saw the film squashed or padded to a square. */
async function heatOver(
  width: number,
  height: number,
  { values, ...map }: HeatMap,
  fit: Fit,
): Promise<Uint8Array> {
  const most = Math.max(...values, Number.MIN_VALUE);
  const levels = Uint8Array.from(values, (value) => (255 * Math.max(value, 0)) / most);
  const side = Math.max(width, height);
  const seen = fit === "pad" ? { width: side, height: side } : { width, height };
  return sharp(levels, { raw: { width: map.width, height: map.height, channels: 1 } })
    .resize(seen.width, seen.height, { fit: "fill", kernel: "cubic" })
    .extract({
      left: Math.floor((seen.width - width) / 2),
      top: Math.floor((seen.height - height) / 2),
      width,
      height,
    })
    .toColourspace("b-w")
    .raw()
    .toBuffer();
}

function colourAt(heat: number, channel: number): number {
  const place = heat * (INFERNO.length - 1);
  const index = Math.min(Math.floor(place), INFERNO.length - 2);
  const share = place - index;
  return INFERNO[index]![channel]! * (1 - share) + INFERNO[index + 1]![channel]! * share;
}
