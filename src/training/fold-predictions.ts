/** What a cross-validation says of all its films: each read by the model that was not trained on it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadMetadata } from "../classifier/index.node.ts";
import { assert } from "../errors.ts";
import { type PredictionSet, readPredictions } from "../evaluation/index.ts";
import { type RunFolder, runFolder } from "./run-folder.ts";
import { plainValidationOf } from "./run-validation.ts";

export const FOLDS_FILES = { summary: "folds.json", predictions: "predictions.csv" } as const;

/** The column that says which fold's model read a film. */
const FOLD = "fold";

/** Of finished folds. Throws `run-unfinished` where one kept no predictions. */
export async function outOfFold(folds: readonly RunFolder[]): Promise<PredictionSet> {
  const sets = await Promise.all(folds.map(predictionsOf));
  const [first] = sets;
  assert(first, "a cross-validation has folds");
  const names = Object.keys(first.columns);
  const joined = <T>(of: (set: PredictionSet) => readonly T[]) => sets.flatMap(of);
  return {
    task: first.task,
    keys: joined(({ keys }) => keys),
    patients: joined(({ patients }) => patients),
    predictions: joined(({ predictions }) => predictions),
    columns: {
      ...Object.fromEntries(names.map((name) => [name, joined(({ columns }) => columns[name]!)])),
      [FOLD]: sets.flatMap(({ keys }, index) => keys.map(() => String(index + 1))),
    },
  };
}

const predictionsOf = async (fold: RunFolder): Promise<PredictionSet> =>
  plainValidationOf(fold, (await loadMetadata(fold.file("model"))).task);

/** Whether the folder is that of a cross-validation whose folds are all finished. */
export function areFolds(path: string): boolean {
  return Object.values(FOLDS_FILES).every((file) => existsSync(join(path, file)));
}

/** The joined predictions in such a folder. */
export async function foldsPredictions(path: string): Promise<PredictionSet> {
  const { task } = await loadMetadata(runFolder(join(path, "fold-1")).file("model"));
  return readPredictions(join(path, FOLDS_FILES.predictions), { task });
}
