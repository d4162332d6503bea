import { readImage } from "../../images/index.ts";
import { randomStream } from "../../random.ts";
import { imageStatistics, type ShiftSample } from "./shift.ts";

/** Enough for distributions 0.2 apart, and read in seconds. */
const MOST_FILMS = 200;

/**
 * Statistics of the films in files, as features to compare sets by; of more than 200 a seeded draw.
 * Films that cannot be read are passed over.
 */
export async function filmStatistics(
  paths: readonly string[],
  { seed = 0 } = {},
): Promise<ShiftSample["features"]> {
  const drawn = randomStream(seed, "film statistics").shuffled(paths).slice(0, MOST_FILMS);
  const found = [];
  for (const path of drawn) {
    const film = await readImage(path).catch(() => undefined);
    if (film) found.push(imageStatistics(film));
  }
  return {
    "mean grey": found.map(({ mean }) => mean),
    "contrast (deviation of the greys)": found.map(({ deviation }) => deviation),
    "width over height": found.map(({ aspect }) => aspect),
  };
}
