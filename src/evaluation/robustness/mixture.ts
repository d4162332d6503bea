/** Films as another department might have made them: a mixture of mild corruptions. */
import type { Prediction } from "../prediction.ts";
import {
  type LabelledFilm,
  type Reader,
  type ReadRoundsOptions,
  type Round,
  readRounds,
} from "./readings.ts";

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

/**
 * The predictions of every film in every part of the mixture. Throws `interrupted` and what reading a
 * film throws.
 */
export async function readShiftMixture(
  classifier: Reader,
  films: readonly LabelledFilm[],
  options: ReadRoundsOptions = {},
): Promise<MixtureReading[]> {
  const predictions = await readRounds(classifier, films, SHIFT_MIXTURE, options);
  return SHIFT_MIXTURE.map((round, index) => ({ ...round, predictions: predictions[index]! }));
}
