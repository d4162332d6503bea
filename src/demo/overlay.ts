/** A film, and beside it the same film under its heat map. */
import sharp from "sharp";
import { filmForHeat, HEAT_COLOURS, type HeatMap } from "../classifier/index.node.ts";
import type { Fit, GreyImage } from "../images/index.ts";

/** The colours of heat as a CSS gradient, for a legend. */
export const HEAT_GRADIENT = `linear-gradient(to right, ${HEAT_COLOURS.map((rgb) => `rgb(${rgb.join(" ")})`).join(", ")})`;

/** The longer side of the film in pixels. */
const SIDE = 360;
const GAP = 8;

/** A JPEG of the film, with a heat map on its right a second time under the map's colours. */
export async function overlayPicture(
  film: GreyImage,
  heatMap: HeatMap | null,
  fit: Fit,
): Promise<Uint8Array> {
  const { width, height, grey, heated } = await filmForHeat(film, SIDE);
  const size = { width, height };
  const whole = heatMap ? 2 * width + GAP : width;
  const right = heatMap
    ? [
        {
          input: heated(heatMap, fit),
          raw: { ...size, channels: 3 as const },
          left: width + GAP,
          top: 0,
        },
      ]
    : [];
  return sharp({ create: { width: whole, height, channels: 3, background: "black" } })
    .composite([{ input: grey, raw: { ...size, channels: 1 }, left: 0, top: 0 }, ...right])
    .jpeg({ quality: 85 })
    .toBuffer();
}
