/** Films read as they are and made worse, several at once. */
import { availableParallelism } from "node:os";
import type { Classifier } from "../../classifier/index.node.ts";
import { HilumError } from "../../errors.ts";
import { type GreyImage, readImage } from "../../images/index.ts";
import type { Prediction } from "../prediction.ts";
import { type Corrupter, openCorrupter } from "./corrupt.ts";

export interface LabelledFilm {
  readonly path: string;
  /** One entry for each label of the model. */
  readonly target: Prediction["target"];
}

export type Reader = Pick<Classifier, "probabilities" | "metadata">;

/** A corruption at a severity from 1 to 5; "none" at 0 is the film itself. */
export interface Round {
  readonly corruption: string;
  readonly severity: number;
}

export interface ReadRoundsOptions {
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  /**
   * Films that are read at the same time, by default one for each core. The classifier then had
   * better take one thread: threads that share a film wait for one another, and films do not.
   */
  readonly atOnce?: number | undefined;
}

/** Of one film, read together: larger batches are no faster and take memory for each film in work. */
const PIECE = 8;

/** One film in all rounds. `key` names its chance together with the corrupter's seed. */
export async function readFilm(
  classifier: Reader,
  corrupter: Corrupter,
  { path }: Pick<LabelledFilm, "path">,
  rounds: readonly Round[],
  key: string,
): Promise<Float32Array[]> {
  const film = await corrupter.prepare(await readImage(path));
  const read: Float32Array[] = [];
  for (let start = 0; start < rounds.length; start += PIECE) {
    const films: GreyImage[] = [];
    for (const { corruption, severity } of rounds.slice(start, start + PIECE))
      films.push(severity === 0 ? film : await corrupter.corrupt(film, corruption, severity, key));
    read.push(...(await classifier.probabilities(films)));
  }
  return read;
}

/**
 * The predictions of every film in each round, by round and in the order of the films. Every film is
 * decoded once; nothing of it is kept. Throws `interrupted` and what reading a film throws.
 */
export async function readRounds(
  classifier: Reader,
  films: readonly LabelledFilm[],
  rounds: readonly Round[],
  { seed, signal, onProgress, atOnce = availableParallelism() }: ReadRoundsOptions = {},
): Promise<Prediction[][]> {
  const predictions = rounds.map(() => new Array<Prediction>(films.length));
  const corrupter = openCorrupter(seed === undefined ? {} : { seed });
  const waiting = films.entries();
  let done = 0;
  const failures: unknown[] = [];
  const work = async () => {
    for (const [index, film] of waiting) {
      if (failures.length > 0) return;
      if (signal?.aborted)
        throw new HilumError("interrupted", "Stopped before all films were corrupted.", {});
      const read = await readFilm(classifier, corrupter, film, rounds, String(index));
      read.forEach((probabilities, round) => {
        predictions[round]![index] = { target: film.target, probabilities };
      });
      onProgress?.({ done: ++done, total: films.length });
    }
  };
  try {
    // Whoever fails, the others end their film before the sessions close.
    await Promise.all(
      Array.from({ length: atOnce }, () => work().catch((error) => failures.push(error))),
    );
  } finally {
    await corrupter.close();
  }
  if (failures.length > 0) throw failures[0];
  return predictions;
}
