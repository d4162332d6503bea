/** Films as another department might have made them: a mixture of mild corruptions. */
import { HilumError } from "../../errors.ts";
import type { Prediction } from "../prediction.ts";
import { openCorrupter } from "./corrupt.ts";
import { type LabelledFilm, type Reader, type Round, readFilm } from "./robustness.ts";

/**
 * What a shift between archives may be, and no more: framing, aspect ratio, position, borders, tone.
 * Each film is read in every one of these.
 */
export const SHIFT_MIXTURE: readonly Round[] = [
  { corruption: "none", severity: 0 },
  { corruption: "cropped", severity: 4 },
  { corruption: "padded", severity: 4 },
  { corruption: "taller", severity: 4 },
  { corruption: "wider", severity: 4 },
  { corruption: "rotation", severity: 3 },
  { corruption: "missing border", severity: 3 },
  { corruption: "lower gamma", severity: 4 },
  { corruption: "higher gamma", severity: 5 },
  { corruption: "less contrast", severity: 4 },
  { corruption: "more contrast", severity: 5 },
];

export interface MixtureReading extends Round {
  /** In the order of the films. */
  readonly predictions: readonly Prediction[];
}

export interface MixtureOptions {
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * The predictions of every film in every part of the mixture. Throws `interrupted` and what reading a
 * film throws.
 */
export async function readShiftMixture(
  classifier: Reader,
  films: readonly LabelledFilm[],
  { seed, signal, onProgress }: MixtureOptions = {},
): Promise<MixtureReading[]> {
  const predictions = SHIFT_MIXTURE.map((): Prediction[] => []);
  const corrupter = openCorrupter(seed === undefined ? {} : { seed });
  try {
    for (const [index, { path, target }] of films.entries()) {
      if (signal?.aborted)
        throw new HilumError("interrupted", "Stopped before all films were corrupted.", {});
      const read = await readFilm(classifier, corrupter, path, SHIFT_MIXTURE, String(index));
      read.forEach((probabilities, round) => {
        predictions[round]!.push({ target, probabilities });
      });
      onProgress?.({ done: index + 1, total: films.length });
    }
  } finally {
    await corrupter.close();
  }
  return SHIFT_MIXTURE.map((round, index) => ({ ...round, predictions: predictions[index]! }));
}
