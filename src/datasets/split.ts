/** Splits by patient: stratified, seeded, the same whatever order the files were listed in. */
import { HilumError } from "../errors.ts";
import { type ColumnFolds, columnFolds } from "./column-folds.ts";
import { compareBytes, type DatasetProblem, type Sample } from "./dataset.ts";
import { groupBy, indivisibleGroups } from "./group.ts";
import type { Samples } from "./samples.ts";
import { assignFolds } from "./stratify.ts";
import { labelsOf, type Task } from "./task.ts";
import { agreeing, counted } from "./wording.ts";

export interface SplitOptions {
  readonly seed: number;
  /** Share of the images for validation, by which patients are drawn. */
  readonly valFraction: number;
  /** With `fold` (0-based): the validation part is that fold of so many. */
  readonly folds?: number | undefined;
  readonly fold?: number | undefined;
  /** With `folds`: a column of the manifest whose values are held out whole. */
  readonly foldBy?: string | undefined;
  /** Digest of a film's bytes: patients who share an identical film then stay together. */
  readonly digestOf?: ((sample: Sample) => string | undefined) | undefined;
}

/** All parts in order of their keys. */
export interface DataSplit {
  readonly train: Samples;
  readonly validation: Samples;
  /** The data set's own test part; nothing is ever chosen on it. */
  readonly test: Samples;
  readonly warnings: readonly DatasetProblem[];
}

/** A validation part smaller than this cannot tell models apart. */
const SMALLEST_VALIDATION = 50;

/**
 * Training and validation samples. A data set's own validation part is used where it is large enough
 * to be of use; the 16 images of the public archive are not, and join the training part. With
 * `folds` it always joins. Throws `split-impossible` and `invalid-option`.
 */
export function splitByPatient(samples: Samples, task: Task, options: SplitOptions): DataSplit {
  checkOptions(options);
  const ordered = [...samples].sort((a, b) => compareBytes(a.key, b.key));
  const ofSplit = (name: string) => ordered.filter((sample) => sample.split === name);
  const test = ofSplit("test");
  const own = ofSplit("val");
  const { rest, foreign } = trainable(ordered);
  const isUsable = own.length >= SMALLEST_VALIDATION && options.folds === undefined;
  const parts = isUsable
    ? { train: rest, validation: own, problems: [] }
    : drawn(
        [...rest, ...own].sort((a, b) => compareBytes(a.key, b.key)),
        task,
        options,
      );
  return {
    train: parts.train,
    validation: parts.validation,
    test,
    warnings: [
      ...(isUsable ? [] : ownNotUsed(own, options)),
      ...foreign,
      ...parts.problems,
      ...labelsMissing(parts, task),
      ...testPatients(test, [...rest, ...own]),
    ],
  };
}

function checkOptions({ valFraction, folds, fold }: SplitOptions): void {
  const refuse = (option: string, value: unknown, allowed: string): never => {
    throw new HilumError("invalid-option", `${option} is ${value}; give ${allowed}.`, {
      option,
      value,
    });
  };
  if (folds === undefined) {
    if (!(valFraction > 0 && valFraction < 1))
      refuse("valFraction", valFraction, "a number between 0 and 1, such as 0.15");
    return;
  }
  if (!(Number.isInteger(folds) && folds >= 2)) refuse("folds", folds, "a whole number from 2");
  if (fold !== undefined && !(Number.isInteger(fold) && fold >= 0 && fold < folds))
    refuse("fold", fold, `a whole number from 0 to ${folds - 1}`);
}

/** What may be trained on: the training part where one is named, never a part of another name. */
function trainable(samples: Samples): {
  rest: Samples;
  foreign: DatasetProblem[];
} {
  const others = samples.filter(({ split }) => split !== "test" && split !== "val");
  const isForeign = ({ split }: Sample) => split !== null && split !== "train";
  const foreign = others.filter(isForeign);
  const names = [...new Set(foreign.map(({ split }) => split))].join(", ");
  return {
    rest: others.filter((sample) => !isForeign(sample)),
    foreign: warn(
      foreign,
      "split-left-out",
      () =>
        `${counted(foreign.length, "image")} ${agreeing(foreign.length, "belongs", "belong")} to splits of other names (${names}) and ${agreeing(foreign.length, "is", "are")} left out. Call a split train, val or test to use it.`,
    ),
  };
}

function drawn(
  pool: Samples,
  task: Task,
  { seed, valFraction, folds, fold = 0, foldBy, digestOf }: SplitOptions,
): Pick<DataSplit, "train" | "validation"> & Pick<ColumnFolds, "problems"> {
  const groupOf = indivisibleGroups(pool, digestOf);
  const groups = groupBy(pool, groupOf);
  const shares =
    folds === undefined ? [valFraction, 1 - valFraction] : Array<number>(folds).fill(1 / folds);
  const { foldOf, problems } =
    folds !== undefined && foldBy !== undefined
      ? columnFolds(groups, { column: foldBy, folds })
      : { foldOf: assignFolds(groups, task, { seed, shares }), problems: [] };
  const isValidation = (sample: Sample) => foldOf.get(groupOf(sample)) === fold;
  const validation = pool.filter(isValidation);
  const train = pool.filter((sample) => !isValidation(sample));
  if (train.length === 0 || validation.length === 0)
    throw new HilumError(
      "split-impossible",
      `${pool.length} images of ${groups.size} patients cannot be split by patient into training and validation. Add patients, or give --patient-pattern.`,
      { images: pool.length, patients: groups.size },
    );
  return { train, validation, problems };
}

function ownNotUsed(own: Samples, { folds }: SplitOptions): DatasetProblem[] {
  if (own.length >= SMALLEST_VALIDATION)
    return [
      {
        code: "validation-joined",
        key: null,
        severity: "note",
        message: `The data set's own ${own.length} validation images join training, because ${folds} folds are made of both.`,
      },
    ];
  return warn(
    own,
    "validation-useless",
    () =>
      `The validation folder has only ${counted(own.length, "image")}, too few to choose anything by: validation patients are drawn from training instead, and these images join it.`,
  );
}

/** A label that is missing from a part can be neither learned nor judged. */
function labelsMissing(
  { train, validation }: Pick<DataSplit, "train" | "validation">,
  task: Task,
): DatasetProblem[] {
  const lacks = (part: string, samples: Samples) => {
    const missing = labelsOf(task).filter((_, label) =>
      samples.every(({ target }) => target[label] !== 1),
    );
    return warn(
      missing,
      "label-missing",
      () =>
        `No ${part} image shows ${missing.join(", ")}: too few patients have it to be in both parts.`,
    );
  };
  return [...lacks("training", train), ...lacks("validation", validation)];
}

/**
 * Never refused: of the 427 patient numbers in the official test part of Kermany's set 170 recur in
 * its training part, and the parts may well be numbered anew.
 */
function testPatients(test: Samples, pool: Samples): DatasetProblem[] {
  const known = new Set(pool.map(({ patient }) => patient));
  const recurring = [...new Set(test.map(({ patient }) => patient))].filter((patient) =>
    known.has(patient),
  );
  return warn(
    recurring,
    "test-patients-recur",
    () =>
      `${counted(recurring.length, "patient")} of the test part ${agreeing(recurring.length, "has", "have")} films in training too, by number. Results on the test part are flattered unless the parts number their patients anew.`,
  );
}

function warn(
  found: { readonly length: number },
  code: string,
  message: () => string,
): DatasetProblem[] {
  return found.length === 0 ? [] : [{ code, key: null, severity: "warning", message: message() }];
}
