/** A film as the network sees it, for whoever shows it to people. */
import type { Film } from "../film-batches.ts";
import type { Verdict } from "./scores.ts";

/** The negative of a film whose greys the gate put right; any other as it is. */
export function correctedFilm<F extends Film>(
  film: F,
  { corrections }: Pick<Verdict, "corrections">,
): F {
  if (!corrections.includes("inverted")) return film;
  return { ...film, pixels: film.pixels.map((grey) => 255 - grey) };
}
