/** A run's validation films read by another model than the one that training left. */
import { resolve } from "node:path";
import { readMetadata } from "../classifier/index.ts";
import { HilumError } from "../errors.ts";
import type { PredictionSet } from "../evaluation/index.ts";
import type { Model } from "../onnx/index.ts";
import { withClassifier } from "./classifier-of.ts";
import type { RunFolder } from "./run-folder.ts";
import { plainValidationOf } from "./run-validation.ts";

export interface ReadValidationOptions {
  /** Where the run's films lie now; by default where they were. */
  readonly data?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * What a model, that of the run changed, says of the run's validation films, read from their files: in
 * place of what the run's own said, with the same keys, patients and columns. Throws `data-changed`.
 */
export async function validationBy(
  model: Model,
  run: RunFolder,
  { data = run.config().data, signal, onProgress }: ReadValidationOptions = {},
): Promise<PredictionSet> {
  const { task } = readMetadata(model.metadata, "the model");
  const before = await plainValidationOf(run, task);
  const paths = before.keys.map((key) => resolve(data, key));
  const readings = await withClassifier(model, (classifier) =>
    classifier.read(paths, { signal, onProgress }),
  );
  return {
    ...before,
    predictions: before.predictions.map(({ target }, index) => {
      const { path, reading, error } = readings[index]!;
      if (!reading) return refuseMissing(path, run, error);
      return { target, probabilities: Object.values(reading.probabilities) };
    }),
  };
}

function refuseMissing(path: string, run: RunFolder, cause: unknown): never {
  throw new HilumError(
    "data-changed",
    `${path} cannot be read, and what is asked for changes probabilities, so that the operating point has to be chosen anew on the films that validated ${run.path}. Say where they are now: --data DIR.`,
    { path, run: run.path },
    cause,
  );
}
