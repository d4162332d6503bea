/** The data set that options of training describe. */
import { type Dataset, type OpenOptions, openDataset } from "../datasets/index.ts";
import type { TrainOptions } from "./options.ts";

/** Throws what `openDataset` throws. */
export function openData(folder: string, options: TrainOptions): Promise<Dataset> {
  return openDataset(folder, openOptions(options));
}

export function openOptions({
  manifest,
  patientPattern,
  labelPattern,
  positive,
}: TrainOptions): OpenOptions {
  return {
    manifest,
    patientPattern: patientPattern ?? undefined,
    labelPattern: labelPattern ?? undefined,
    positive: positive ?? undefined,
  };
}
