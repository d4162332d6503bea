/** Splits by patient: stratified, seeded, the same whatever order the files were listed in. */
import { HilumError } from "../errors.ts";
import { randomStream } from "../random.ts";
import { compareBytes, type DatasetProblem, type Sample } from "./dataset.ts";
import { groupBy, indivisibleGroups } from "./group.ts";
import { labelsOf, type Task } from "./task.ts";

export interface SplitOptions {
  readonly seed: number;
  readonly valFraction: number;
  /** With `fold` (0-based): the validation part is that fold of so many. */
  readonly folds?: number | undefined;
  readonly fold?: number | undefined;
  /** Digest of a film's bytes: patients who share an identical film then stay together. */
  readonly digestOf?: ((sample: Sample) => string | undefined) | undefined;
}

export interface DataSplit {
  readonly train: readonly Sample[];
  readonly validation: readonly Sample[];
  /** The data set's own test part; nothing is ever chosen on it. */
  readonly test: readonly Sample[];
  readonly warnings: readonly DatasetProblem[];
}

/** A validation part smaller than this cannot tell models apart. */
const SMALLEST_VALIDATION = 50;

/**
 * Training and validation samples. A data set's own validation part is used where it is large enough
 * to be of use; the 16 images of the public archive are not, and join the training part.
 * Throws `split-impossible`.
 */
export function splitByPatient(
  samples: readonly Sample[],
  task: Task,
  options: SplitOptions,
): DataSplit {
  const ofSplit = (name: string) => samples.filter((sample) => sample.split === name);
  const test = ofSplit("test");
  const own = ofSplit("val");
  const rest = samples.filter((sample) => sample.split !== "test" && sample.split !== "val");
  if (own.length >= SMALLEST_VALIDATION && options.folds === undefined)
    return { train: rest, validation: own, test, warnings: [] };
  const warnings: DatasetProblem[] =
    own.length === 0
      ? []
      : [
          {
            code: "validation-useless",
            key: null,
            severity: "warning",
            message: `The validation folder has only ${own.length} images, too few to choose anything by; validation patients are drawn from training instead.`,
          },
        ];
  const pool = [...rest, ...own];
  const groupOf = indivisibleGroups(pool, options.digestOf);
  const foldOf = assignFolds(groupBy(pool, groupOf), task, {
    seed: options.seed,
    shares:
      options.folds === undefined
        ? [options.valFraction, 1 - options.valFraction]
        : Array<number>(options.folds).fill(1 / options.folds),
  });
  const chosen = options.fold ?? 0;
  const isValidation = (sample: Sample) => foldOf.get(groupOf(sample)) === chosen;
  const validation = pool.filter(isValidation);
  const train = pool.filter((sample) => !isValidation(sample));
  if (train.length === 0 || validation.length === 0)
    throw new HilumError(
      "split-impossible",
      `${pool.length} images of ${foldOf.size} patients cannot be split by patient into training and validation. Add patients, or give --patient-pattern.`,
      { images: pool.length, patients: foldOf.size },
    );
  return { train, validation, test, warnings };
}

/**
 * Groups dealt to folds, stratum by stratum (groups with equal labels), largest room first, so that
 * each fold gets its share of the images of every stratum.
 */
function assignFolds(
  groups: ReadonlyMap<string, readonly Sample[]>,
  task: Task,
  { seed, shares }: { readonly seed: number; readonly shares: readonly number[] },
): Map<string, number> {
  const names = [...groups.keys()].sort(compareBytes);
  const strata = groupBy(names, (name) => stratum(groups.get(name)!, task));
  const result = new Map<string, number>();
  for (const labels of [...strata.keys()].sort(compareBytes)) {
    const shuffled = randomStream(seed, "split", labels).shuffled(strata.get(labels)!);
    const total = shuffled.reduce((sum, name) => sum + groups.get(name)!.length, 0);
    const room = shares.map((share) => share * total);
    for (const name of shuffled) {
      const fold = room.indexOf(Math.max(...room));
      room[fold]! -= groups.get(name)!.length;
      result.set(name, fold);
    }
  }
  return result;
}

/** The labels that a patient's images have between them. */
function stratum(images: readonly Sample[], task: Task): string {
  return labelsOf(task)
    .filter((_, index) => images.some((image) => image.target[index] === 1))
    .join("|");
}

/** What crosses from training to validation: patients, and exact copies where digests are known. */
export function findLeaks(
  train: readonly Sample[],
  validation: readonly Sample[],
  digestOf?: (sample: Sample) => string | undefined,
): DatasetProblem[] {
  const crossing = (identity: (sample: Sample) => string | undefined) => {
    const known = new Set(train.map(identity));
    return validation.filter((sample) => {
      const id = identity(sample);
      return id !== undefined && known.has(id);
    });
  };
  const patients = crossing((sample) => sample.patient);
  const copies = digestOf ? crossing(digestOf) : [];
  const leak = (code: string, found: readonly Sample[], what: string): DatasetProblem[] =>
    found.length === 0
      ? []
      : [
          {
            code,
            key: found[0]!.key,
            severity: "error",
            message: `${found.length} validation images ${what} (first: ${found[0]!.key}).`,
          },
        ];
  return [
    ...leak("patient-leak", patients, "show patients who are in training too"),
    ...leak("duplicate-leak", copies, "are byte-identical copies of training images"),
  ];
}
