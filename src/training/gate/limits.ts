/** Where the gate's limits come to lie, from what it measures of films that it was not fitted to. */
import type { GateLimits } from "../../classifier/index.ts";
import type { Scored } from "./scored.ts";

/** Refuses nothing and warns of nothing but what is too small or too long. */
export const OPEN_LIMITS: GateLimits = {
  side: 96,
  aspect: 4,
  contrast: 0,
  brightest: 0,
  darkest: 255,
  black: 1,
  white: 1,
  chest: -1e9,
  upright: -1e9,
  whole: -1e9,
  inversion: 0,
  distance: 1e9,
};

/** Share of heavily varied films that each of the heads may refuse. */
const REFUSED = 0.005;
/** Share of films, as they are, within the population. */
const WITHIN = 0.985;

/** From the same films as they are and heavily varied. */
export function limitsFrom(plain: readonly Scored[], varied: readonly Scored[]): GateLimits {
  const all = (name: keyof GateLimits) => plain.map(({ values }) => values[name]!);
  const lowest = (name: keyof GateLimits) => lowestOf(varied.map(({ values }) => values[name]!));
  // Half as far again as any film was: what lies beyond has lost what a reading could rest on.
  return {
    ...OPEN_LIMITS,
    contrast: Math.min(...all("contrast")) / 2,
    brightest: Math.min(...all("brightest")) * 0.6,
    darkest: 255 - (255 - Math.max(...all("darkest"))) * 0.6,
    black: 1 - (1 - Math.max(...all("black"))) * 0.6,
    white: 1 - (1 - Math.max(...all("white"))) * 0.6,
    chest: chestLimit(lowest("chest")),
    upright: lowest("upright"),
    whole: lowest("whole"),
    distance: quantile(all("distance"), WITHIN),
  };
}

/** The score that so few varied films lie below. */
export const lowestOf = (scores: readonly number[]): number => quantile(scores, REFUSED);

/** Never above even odds, however well all films do. */
export const chestLimit = (lowest: number): number => Math.min(0, lowest);

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
