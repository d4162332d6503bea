/** What crosses from training to validation, where it would flatter the model. */
import type { DatasetProblem, Sample } from "./dataset.ts";
import { lastPlaces, numbered } from "./numbering.ts";
import type { Samples } from "./samples.ts";
import { agreeing, counted } from "./wording.ts";

/** Digest of the bytes of a film, which is at that index of a part; undefined where it is unknown. */
export type DigestInPart = (
  sample: Sample,
  index: number,
  part: "train" | "validation" | "test",
) => string | undefined;

/** Patients, and exact copies where digests are known; one problem of severity "error" for each kind. */
export function findLeaks(
  train: Samples,
  validation: Samples,
  digestOf?: DigestInPart,
): DatasetProblem[] {
  const crossing = (identity: DigestInPart): Crossing | undefined => {
    const own = numbered(validation.length, (index) =>
      identity(validation.at(index)!, index, "validation"),
    );
    const twins = lastPlaces(own, train.length, (index) =>
      identity(train.at(index)!, index, "train"),
    );
    const crosses = (number: number) => number >= 0 && twins[number]! >= 0;
    const first = own.numbers.findIndex(crosses);
    if (first < 0) return undefined;
    return {
      images: own.numbers.reduce((sum, number) => sum + (crosses(number) ? 1 : 0), 0),
      identities: twins.reduce((sum, twin) => sum + (twin >= 0 ? 1 : 0), 0),
      first: validation.at(first)!.key,
      twin: train.at(twins[own.numbers[first]!]!)!.key,
    };
  };
  const patients = crossing(({ patient }) => patient);
  const copies = digestOf && crossing(digestOf);
  return [
    ...leak("patient-leak", patients, ({ images, identities }) =>
      [
        agreeing(images, "shows", "show"),
        counted(identities, "patient"),
        `who ${agreeing(identities, "is", "are")} in training too`,
      ].join(" "),
    ),
    ...leak("duplicate-leak", copies, ({ images }) =>
      agreeing(
        images,
        "is a byte-identical copy of a training image",
        "are byte-identical copies of training images",
      ),
    ),
  ];
}

interface Crossing {
  /** Validation films that have a twin in training. */
  readonly images: number;
  /** Patients, or contents, that they show. */
  readonly identities: number;
  /** Keys of the first of them and of its last twin. */
  readonly first: string;
  readonly twin: string;
}

function leak(
  code: string,
  found: Crossing | undefined,
  what: (found: Crossing) => string,
): DatasetProblem[] {
  if (!found) return [];
  const { images, first, twin } = found;
  const message = `${counted(images, "validation image")} ${what(found)} (first: ${first}, as ${twin}).`;
  return [{ code, key: first, severity: "error", message }];
}
