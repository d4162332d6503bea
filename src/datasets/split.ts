/** Splits by patient: stratified, seeded, the same whatever order the files were listed in. */
import { HilumError } from "../errors.ts";
import { type ColumnFolds, columnFolds } from "./column-folds.ts";
import type { DatasetProblem, Sample } from "./dataset.ts";
import { type DigestOf, indivisibleGroups } from "./group.ts";
import { lastPlaces, numbered } from "./numbering.ts";
import { picked, type Samples } from "./samples.ts";
import { assignFolds } from "./stratify.ts";
import { labelsOf, type Task } from "./task.ts";
import { sortedByText } from "./text-order.ts";
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
  /** By the index in the samples that are split: patients who share an identical film stay together. */
  readonly digestOf?: DigestOf | undefined;
}

/** All parts in order of their keys. */
export interface DataSplit {
  readonly train: Samples;
  readonly validation: Samples;
  /** The data set's own test part; nothing is ever chosen on it. */
  readonly test: Samples;
  /** Indices of the parts in the samples that were split. */
  readonly places: Readonly<Record<"train" | "validation" | "test", Uint32Array>>;
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
  const roles = rolesOf(samples);
  const inOrder = (...wanted: Role[]) =>
    sortedByText(placesOf(roles, wanted), (place) => samples.at(place)!.key);
  const test = inOrder("test");
  const own = inOrder("validation");
  const pool = inOrder("training", "validation");
  const isUsable = own.length >= SMALLEST_VALIDATION && options.folds === undefined;
  const drawing = isUsable
    ? { train: inOrder("training"), validation: own, problems: [] }
    : drawn(samples, pool, { ...options, task });
  const places = { train: drawing.train, validation: drawing.validation, test };
  const parts = {
    train: picked(samples, places.train),
    validation: picked(samples, places.validation),
    test: picked(samples, test),
  };
  return {
    ...parts,
    places,
    warnings: [
      ...(isUsable ? [] : ownNotUsed(own, options)),
      ...leftOut(picked(samples, inOrder("foreign"))),
      ...drawing.problems,
      ...labelsMissing(parts, task),
      ...testPatients(parts.test, picked(samples, pool)),
    ],
  };
}

/** What a sample's split makes of it. */
const ROLES = ["training", "validation", "test", "foreign"] as const;
type Role = (typeof ROLES)[number];

/** Trained on is the training part where one is named, never a part of another name. */
function roleOf({ split }: Sample): Role {
  if (split === null || split === "train") return "training";
  if (split === "val") return "validation";
  return split === "test" ? "test" : "foreign";
}

function rolesOf(samples: Samples): Uint8Array {
  const roles = new Uint8Array(samples.length);
  samples.forEach((sample, place) => {
    roles[place] = ROLES.indexOf(roleOf(sample));
  });
  return roles;
}

function placesOf(roles: Uint8Array, wanted: readonly Role[]): Uint32Array {
  return placesWhere(roles.length, (place) => wanted.includes(ROLES[roles[place]!]!));
}

/** The numbers below `length` of which it is true; a typed array's `filter` lists them on the heap. */
function placesWhere(length: number, is: (place: number) => boolean): Uint32Array {
  let count = 0;
  for (let place = 0; place < length; place++) if (is(place)) count++;
  const places = new Uint32Array(count);
  let next = 0;
  for (let place = 0; next < count; place++) if (is(place)) places[next++] = place;
  return places;
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

function leftOut(foreign: Samples): DatasetProblem[] {
  const names = new Set<string | null>();
  for (const { split } of foreign) names.add(split);
  return warn(
    foreign,
    "split-left-out",
    () =>
      `${counted(foreign.length, "image")} ${agreeing(foreign.length, "belongs", "belong")} to splits of other names (${[...names].join(", ")}) and ${agreeing(foreign.length, "is", "are")} left out. Call a split train, val or test to use it.`,
  );
}

type Drawing = Pick<DataSplit["places"], "train" | "validation"> & Pick<ColumnFolds, "problems">;

function drawn(
  samples: Samples,
  pool: Uint32Array,
  {
    task,
    seed,
    valFraction,
    folds,
    fold = 0,
    foldBy,
    digestOf,
  }: SplitOptions & { readonly task: Task },
): Drawing {
  const films = picked(samples, pool);
  const groups = indivisibleGroups(
    films,
    digestOf && ((sample, index) => digestOf(sample, pool[index]!)),
  );
  const shares =
    folds === undefined ? [valFraction, 1 - valFraction] : Array<number>(folds).fill(1 / folds);
  const { foldOf, problems } =
    folds !== undefined && foldBy !== undefined
      ? columnFolds(films, groups, { column: foldBy, folds })
      : { foldOf: assignFolds(films, groups, { task, seed, shares }), problems: [] };
  const part = (isHeld: boolean) =>
    placesWhere(pool.length, (index) => (foldOf[groups.of[index]!] === fold) === isHeld).map(
      (index) => pool[index]!,
    );
  const [train, validation] = [part(false), part(true)];
  if (train.length === 0 || validation.length === 0)
    throw new HilumError(
      "split-impossible",
      `${pool.length} images of ${groups.count} patients cannot be split by patient into training and validation. Add patients, or give --patient-pattern.`,
      { images: pool.length, patients: groups.count },
    );
  return { train, validation, problems };
}

function ownNotUsed(own: { readonly length: number }, { folds }: SplitOptions): DatasetProblem[] {
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
  if (test.length === 0) return [];
  const patients = numbered(test.length, (index) => test.at(index)!.patient);
  const recurring = lastPlaces(patients, pool.length, (index) => pool.at(index)!.patient).filter(
    (place) => place >= 0,
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
