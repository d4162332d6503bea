/** Films shifted by a few pixels, and their maps brought back. */
import { enlargedHeat, type HeatMap } from "../../classifier/index.node.ts";
import type { Fit, GreyImage } from "../../images/index.ts";

/** How far in pixels of the picture that the network sees. */
export const SHIFT = 4;

/** Left, right, up and down. */
export const SHIFTS = [
  { x: -SHIFT, y: 0 },
  { x: SHIFT, y: 0 },
  { x: 0, y: -SHIFT },
  { x: 0, y: SHIFT },
] as const;

type Place = Readonly<Record<"x" | "y", number>>;

/** The film with all that it shows moved by whole pixels of its own, its edge repeated. */
export function shiftedFilm(film: GreyImage, { x: right, y: down }: Place): GreyImage {
  const { width, height, pixels } = film;
  const within = (place: number, end: number) => Math.min(end - 1, Math.max(0, place));
  const moved = pixels.map((_, at) => {
    const [x, y] = [within((at % width) - right, width), Math.floor(at / width) - down];
    return pixels[within(y, height) * width + x]!;
  });
  return { ...film, pixels: moved };
}

/** A shift of the picture in pixels of the film, at least one. */
export function shiftOf(film: GreyImage, size: number, fit: Fit, { x, y }: Place): Place {
  const [width, height] = sidesOf(film, fit);
  const whole = (pixels: number, side: number) =>
    Math.sign(pixels) * Math.max(1, Math.round((Math.abs(pixels) * side) / size));
  return { x: whole(x, width), y: whole(y, height) };
}

/** Film pixels that the square's sides stand for. */
function sidesOf({ width, height }: GreyImage, fit: Fit): [number, number] {
  const long = Math.max(width, height);
  return fit === "squash" ? [width, height] : [long, long];
}

/**
 * The film's own map and that of the shifted film brought back, both enlarged to the picture's side,
 * at the pixels that either film shows.
 */
export function matchedMaps(
  own: HeatMap,
  moved: HeatMap,
  {
    film,
    size,
    fit,
    shift,
  }: { readonly film: GreyImage; readonly size: number; readonly fit: Fit; readonly shift: Place },
): [Float32Array, Float32Array] {
  const [width, height] = sidesOf(film, fit);
  const share = { x: shift.x / width, y: shift.y / height };
  const isShown = (_: number, at: number) => {
    const u = ((at % size) + 0.5) / size + share.x;
    const v = (Math.floor(at / size) + 0.5) / size + share.y;
    return u >= 0 && u <= 1 && v >= 0 && v <= 1;
  };
  return [
    enlargedHeat(own, size).filter(isShown),
    enlargedHeat(moved, size, share).filter(isShown),
  ];
}
