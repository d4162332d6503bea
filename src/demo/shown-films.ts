/** Some test films, read one by one as `predict` does it. */
import type { Classifier } from "../classifier/index.node.ts";
import { classOf, labelsOf, type PlannedPhantom, type Sample } from "../datasets/index.ts";
import type { DatasetEvaluation } from "../evaluation/index.ts";

export interface ShownFilm {
  readonly path: string;
  /** Path below the folder of films. */
  readonly key: string;
  readonly truth: string;
  /** What the film shows; null for nothing. */
  readonly kind: PlannedPhantom["kind"];
  /** By the stored operating point. */
  readonly label: string;
  /** Of the positive class. */
  readonly probability: number;
}

const MOST_WRONG = 12;
const RIGHT_PER_KIND = 3;

/**
 * Readings of the films that the evaluation found wrong, the worst first, and of some that it found
 * right, as many of each kind.
 */
export async function shownFilms(
  classifier: Classifier,
  tested: DatasetEvaluation,
  plan: readonly PlannedPhantom[],
): Promise<ShownFilm[]> {
  const { task } = classifier.metadata;
  const kinds = kindsOf(plan);
  const { wrong, right } = sorted(tested);
  const taken = new Map<PlannedPhantom["kind"], number>();
  const some = right.filter(({ key }) => {
    const kind = kinds.get(key) ?? null;
    taken.set(kind, (taken.get(kind) ?? 0) + 1);
    return taken.get(kind)! <= RIGHT_PER_KIND;
  });
  const chosen = [...wrong.slice(0, MOST_WRONG), ...some];
  const readings = await classifier.read(chosen.map(({ path }) => path));
  return readings.map(({ path, reading, error }, index) => {
    if (error) throw error;
    const sample = chosen[index]!;
    const { label, probability } = reading!;
    const truth = labelsOf(task)[classOf(sample, task)]!;
    const kind = kinds.get(sample.key) ?? null;
    return { path, key: sample.key, truth, kind, label: label!, probability: probability! };
  });
}

/** What each film shows, by its key. */
export function kindsOf(plan: readonly PlannedPhantom[]): Map<string, PlannedPhantom["kind"]> {
  return new Map(plan.map(({ key, kind }) => [key, kind]));
}

/** Whether the film was read rightly, by sample, at the operating point of the evaluation. */
export function isRight({ evaluation, predictions }: DatasetEvaluation, index: number): boolean {
  const { target, probabilities } = predictions[index]!;
  return probabilities[1]! >= evaluation.threshold! === (target[1] === 1);
}

function sorted(tested: DatasetEvaluation): { wrong: Sample[]; right: Sample[] } {
  const errorOf = (index: number) => {
    const { target, probabilities } = tested.predictions[index]!;
    return Math.abs(probabilities[1]! - target[1]!);
  };
  const order = tested.samples.map((_, index) => index);
  const samplesWhere = (wanted: boolean, indices: readonly number[]) =>
    indices.filter((index) => isRight(tested, index) === wanted).map((i) => tested.samples.at(i)!);
  return {
    wrong: samplesWhere(
      false,
      order.toSorted((a, b) => errorOf(b) - errorOf(a)),
    ),
    right: samplesWhere(true, order),
  };
}
