/** What crosses from training to validation, where it would flatter the model. */
import type { DatasetProblem, Sample } from "./dataset.ts";
import { groupBy } from "./group.ts";
import type { Samples } from "./samples.ts";
import { agreeing, counted } from "./wording.ts";

/** Patients, and exact copies where digests are known; one problem of severity "error" for each kind. */
export function findLeaks(
  train: Samples,
  validation: Samples,
  digestOf?: (sample: Sample) => string | undefined,
): DatasetProblem[] {
  const crossing = (identity: (sample: Sample) => string | undefined) => {
    const inTraining = new Map(train.map((sample) => [identity(sample), sample]));
    inTraining.delete(undefined);
    return validation.flatMap((sample) => {
      const twin = inTraining.get(identity(sample));
      return twin ? [{ sample, twin }] : [];
    });
  };
  const leak = (
    code: string,
    found: ReturnType<typeof crossing>,
    what: (images: number) => string,
  ) => {
    const [first] = found;
    if (!first) return [];
    const message = `${counted(found.length, "validation image")} ${what(found.length)} (first: ${first.sample.key}, as ${first.twin.key}).`;
    return [{ code, key: first.sample.key, severity: "error", message } as const];
  };
  const patients = crossing(({ patient }) => patient);
  const count = groupBy(patients, ({ sample }) => sample.patient).size;
  return [
    ...leak(
      "patient-leak",
      patients,
      (images) =>
        `${agreeing(images, "shows", "show")} ${counted(count, "patient")} who ${agreeing(count, "is", "are")} in training too`,
    ),
    ...(digestOf
      ? leak("duplicate-leak", crossing(digestOf), (images) =>
          agreeing(
            images,
            "is a byte-identical copy of a training image",
            "are byte-identical copies of training images",
          ),
        )
      : []),
  ];
}
