/** How well a classifier reads films that were made worse. */
import { availableParallelism } from "node:os";
import { HilumError } from "../../errors.ts";
import { readImage } from "../../images/index.ts";
import { randomStream } from "../../random.ts";
import { evaluatePredictions } from "../evaluation.ts";
import { openCorrupter } from "./corrupt.ts";
import { CORRUPTION_NAMES } from "./corruptions.ts";
import {
  type LabelledFilm,
  type Reader,
  type ReadRoundsOptions,
  type Round,
  readFilm,
  readRounds,
} from "./readings.ts";

/** Of the clean films, "none" and severity 0. */
export interface CorruptionResult extends Round {
  readonly balancedAccuracy: number | null;
  /** Or its mean over the classes. */
  readonly auroc: number | null;
}

export interface Robustness {
  /** How many were read. */
  readonly films: number;
  /** The films at the size at which they are corrupted. */
  readonly clean: CorruptionResult;
  readonly corruptions: readonly CorruptionResult[];
}

export interface RobustnessOptions extends ReadRoundsOptions {
  /** By default all. */
  readonly corruptions?: readonly string[] | undefined;
  readonly threshold?: number | undefined;
}

const SEVERITIES = [1, 2, 3, 4, 5] as const;

/** The clean film and then each corruption at each severity. */
function roundsOf(names: readonly string[]): Round[] {
  const unknown = names.find((name) => !CORRUPTION_NAMES.includes(name));
  if (unknown !== undefined)
    throw new HilumError(
      "invalid-option",
      `No corruption is called "${unknown}". There are: ${CORRUPTION_NAMES.join(", ")}.`,
      { option: "corruptions", value: unknown, allowed: CORRUPTION_NAMES },
    );
  const corrupted = names.flatMap((corruption) =>
    SEVERITIES.map((severity) => ({ corruption, severity })),
  );
  return [{ corruption: "none", severity: 0 }, ...corrupted];
}

/**
 * Balanced accuracy and area under the ROC curve of films made worse in each way at five severities,
 * at the model's operating point or a stated threshold. Throws `evaluation-empty`, `invalid-option`,
 * `interrupted` and what reading a film throws.
 */
export async function robustness(
  classifier: Reader,
  films: readonly LabelledFilm[],
  { corruptions = CORRUPTION_NAMES, threshold, ...options }: RobustnessOptions = {},
): Promise<Robustness> {
  const { task, operatingPoint } = classifier.metadata;
  const rounds = roundsOf(corruptions);
  const predictions = await readRounds(classifier, films, rounds, options);
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
  return { films: films.length, clean: clean!, corruptions: corrupted };
}

/**
 * At most `count` of the films in a seeded draw, each class or finding with its share, in their
 * order.
 */
export function filmsDrawn<T extends Pick<LabelledFilm, "target">>(
  films: readonly T[],
  count: number,
  { seed = 0 } = {},
): T[] {
  if (films.length <= count) return [...films];
  const shuffled = randomStream(seed, "robustness")
    .shuffled(films.map((film, index) => ({ film, index })))
    // Sorted by class, every so-manieth film takes its share of each.
    .toSorted((a, b) => a.film.target.indexOf(1) - b.film.target.indexOf(1));
  return Array.from({ length: count }, (_, place) => {
    return shuffled[Math.floor(((place + 0.5) * films.length) / count)]!;
  })
    .toSorted((a, b) => a.index - b.index)
    .map(({ film }) => film);
}

export interface RobustnessEstimate {
  readonly films: number;
  /** Films times readings of each. */
  readonly readings: number;
  readonly seconds: number;
}

/** One round in so many is read for the estimate: each corruption at some severity. */
const TIMED_STEP = 6;

/**
 * How long `robustness` will take of the films in these files, from some readings of one that can be
 * read, after it has warmed up; null without such a film.
 */
export async function estimateRobustness(
  classifier: Reader,
  paths: readonly string[],
  {
    corruptions = CORRUPTION_NAMES,
    atOnce = availableParallelism(),
  }: Pick<RobustnessOptions, "corruptions" | "atOnce"> = {},
): Promise<RobustnessEstimate | null> {
  const path = await readableFrom(paths, paths.length >> 1);
  if (path === undefined) return null;
  const rounds = roundsOf(corruptions);
  const timed = rounds.filter((_, place) => place % TIMED_STEP === 0);
  const corrupter = openCorrupter();
  try {
    const readTogether = () =>
      Promise.all(
        Array.from({ length: atOnce }, (_, key) =>
          readFilm(classifier, corrupter, { path }, timed, String(key)),
        ),
      );
    await readTogether();
    const start = performance.now();
    await readTogether();
    const perReading = (performance.now() - start) / 1000 / (atOnce * timed.length);
    const readings = paths.length * rounds.length;
    return { films: paths.length, readings, seconds: perReading * readings };
  } finally {
    await corrupter.close();
  }
}

async function readableFrom(paths: readonly string[], start: number): Promise<string | undefined> {
  for (const path of [...paths.slice(start), ...paths.slice(0, start)])
    if (await readImage(path).catch(() => undefined)) return path;
  return undefined;
}
