/** How well a classifier reads films that were made worse. */
import type { Classifier } from "../../classifier/index.node.ts";
import { HilumError } from "../../errors.ts";
import { readImage } from "../../images/index.ts";
import { evaluatePredictions } from "../evaluation.ts";
import type { Prediction } from "../prediction.ts";
import { type Corrupter, openCorrupter } from "./corrupt.ts";
import { CORRUPTION_NAMES } from "./corruptions.ts";

export interface LabelledFilm {
  readonly path: string;
  /** One entry for each label of the model. */
  readonly target: Prediction["target"];
}

export interface CorruptionResult {
  readonly corruption: string;
  /** 1 to 5; 0 for the clean films. */
  readonly severity: number;
  readonly balancedAccuracy: number | null;
  /** Or its mean over the classes. */
  readonly auroc: number | null;
}

export interface Robustness {
  /** The films at the size at which they are corrupted. */
  readonly clean: CorruptionResult;
  readonly corruptions: readonly CorruptionResult[];
}

export interface RobustnessOptions {
  /** By default all. */
  readonly corruptions?: readonly string[] | undefined;
  readonly threshold?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export type Reader = Pick<Classifier, "probabilities" | "metadata">;

const SEVERITIES = [1, 2, 3, 4, 5] as const;

/** The clean film and then each corruption at each severity. */
function roundsOf(names: readonly string[]) {
  const unknown = names.find((name) => !CORRUPTION_NAMES.includes(name));
  if (unknown !== undefined)
    throw new HilumError(
      "invalid-option",
      `No corruption is called "${unknown}". There are: ${CORRUPTION_NAMES.join(", ")}.`,
      { option: "corruptions", value: unknown, allowed: CORRUPTION_NAMES },
    );
  const corrupted = names.flatMap((corruption) =>
    SEVERITIES.map((severity) => ({ corruption, severity: severity as number })),
  );
  return [{ corruption: "none", severity: 0 }, ...corrupted];
}

/** A corruption at a severity; "none" at 0 is the film itself. */
export type Round = Pick<CorruptionResult, "corruption" | "severity">;

/** One film in all rounds. */
export async function readFilm(
  classifier: Reader,
  corrupter: Corrupter,
  path: string,
  rounds: readonly Round[],
  key: string,
): Promise<Float32Array[]> {
  const film = await corrupter.prepare(await readImage(path));
  const films = [];
  for (const { corruption, severity } of rounds)
    films.push(severity === 0 ? film : await corrupter.corrupt(film, corruption, severity, key));
  return classifier.probabilities(films);
}

/**
 * Balanced accuracy and area under the ROC curve of films made worse in each way at five severities,
 * at the model's operating point or a stated threshold. Every film is decoded once; nothing of it is
 * kept. Throws `evaluation-empty`, `invalid-option`, `interrupted` and what reading a film throws.
 */
export async function robustness(
  classifier: Reader,
  films: readonly LabelledFilm[],
  { corruptions = CORRUPTION_NAMES, threshold, seed, signal, onProgress }: RobustnessOptions = {},
): Promise<Robustness> {
  const { task, operatingPoint } = classifier.metadata;
  const rounds = roundsOf(corruptions);
  const predictions = rounds.map((): Prediction[] => []);
  const corrupter = openCorrupter(seed === undefined ? {} : { seed });
  try {
    for (const [index, { path, target }] of films.entries()) {
      if (signal?.aborted)
        throw new HilumError("interrupted", "Stopped before all films were corrupted.", {});
      const read = await readFilm(classifier, corrupter, path, rounds, String(index));
      read.forEach((probabilities, round) => {
        predictions[round]!.push({ target, probabilities });
      });
      onProgress?.({ done: index + 1, total: films.length });
    }
  } finally {
    await corrupter.close();
  }
  const results = rounds.map((round, index): CorruptionResult => {
    const { metrics } = evaluatePredictions(predictions[index]!, task, {
      threshold: threshold ?? operatingPoint?.threshold,
      rounds: 0,
    });
    return {
      ...round,
      balancedAccuracy: metrics.balancedAccuracy!.value,
      auroc: (metrics.auroc ?? metrics.aurocMacro)!.value,
    };
  });
  const [clean, ...corrupted] = results;
  return { clean: clean!, corruptions: corrupted };
}

export interface RobustnessEstimate {
  readonly films: number;
  /** Films times readings of each. */
  readonly readings: number;
  readonly seconds: number;
}

/**
 * How long `robustness` will take of the films in these files, from one of them that can be read, after
 * it has warmed up; null without such a film.
 */
export async function estimateRobustness(
  classifier: Reader,
  paths: readonly string[],
  { corruptions = CORRUPTION_NAMES }: Pick<RobustnessOptions, "corruptions"> = {},
): Promise<RobustnessEstimate | null> {
  const path = await readableFrom(paths, paths.length >> 1);
  if (path === undefined) return null;
  const rounds = roundsOf(corruptions);
  const corrupter = openCorrupter();
  try {
    const read = () => readFilm(classifier, corrupter, path, rounds, "0");
    await read();
    const start = performance.now();
    await read();
    const seconds = ((performance.now() - start) / 1000) * paths.length;
    return { films: paths.length, readings: paths.length * rounds.length, seconds };
  } finally {
    await corrupter.close();
  }
}

async function readableFrom(paths: readonly string[], start: number): Promise<string | undefined> {
  for (const path of [...paths.slice(start), ...paths.slice(0, start)])
    if (await readImage(path).catch(() => undefined)) return path;
  return undefined;
}
