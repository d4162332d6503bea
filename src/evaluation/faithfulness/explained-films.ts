/** Whose heat maps are tried: films that the model calls the class for which the maps speak. */
import { labelsOf } from "../../datasets/index.portable.ts";
import { randomStream } from "../../random.ts";
import { DEFAULT_THRESHOLD, positiveOf } from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { classSaid } from "../report/said.ts";

export interface ExplainedFilms {
  /** The positive one; without one, that which most films are called. */
  readonly class: string;
  /** Places in the set, in its order: at most as many as asked for, drawn by seed. */
  readonly films: readonly number[];
  /** For each of them one that is called otherwise, drawn by seed; none where there is none. */
  readonly others: readonly number[];
}

/** Of a film that is not called the class, nothing could be deleted that speaks for it. */
export function explainedFilms(
  set: PredictionSet,
  {
    most,
    threshold,
    isLeftOut = () => false,
    seed = 0,
  }: {
    readonly most: number;
    readonly threshold: number | null;
    /** Of a place in the set. */
    readonly isLeftOut?: ((index: number) => boolean) | undefined;
    readonly seed?: number | undefined;
  },
): ExplainedFilms {
  const kept = set.keys.flatMap((_, index) => (isLeftOut(index) ? [] : [index]));
  const called = labelsOf(set.task).map((_, label) =>
    kept.filter((index) => isCalled(set, index, { label, threshold })),
  );
  const counts = called.map(({ length }) => length);
  const column = positiveOf(set.task) ?? counts.indexOf(Math.max(...counts));
  const drawn = (films: readonly number[], what: string) =>
    randomStream(seed, what).shuffled(films);
  const films = drawn(called[column]!, "explained films")
    .slice(0, most)
    .sort((a, b) => a - b);
  const isCalledSo = new Set(called[column]);
  const otherwise = kept.filter((index) => !isCalledSo.has(index));
  const others = drawn(otherwise, "films called otherwise");
  return {
    class: labelsOf(set.task)[column]!,
    films,
    others: others.length === 0 ? [] : films.map((_, place) => others[place % others.length]!),
  };
}

function isCalled(
  set: PredictionSet,
  index: number,
  { label, threshold }: { readonly label: number; readonly threshold: number | null },
): boolean {
  if (set.task.kind === "classes") return classSaid(set, index, threshold) === label;
  return set.predictions[index]!.probabilities[label]! >= (threshold ?? DEFAULT_THRESHOLD);
}
