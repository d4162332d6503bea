/** What a finished run's model says of its validation films. */
import { loadMetadata } from "../classifier/index.node.ts";
import { type Calibration, calibrateProbabilities } from "../classifier/index.ts";
import type { Task } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import { type PredictionSet, readPredictions } from "../evaluation/index.ts";
import { type RunFolder, runFolder } from "./run-folder.ts";

/** The run in a folder. Throws `run-unfinished`. */
export function finishedRun(path: string): RunFolder {
  const folder = runFolder(path);
  if (folder.state() === "finished") return folder;
  throw new HilumError(
    "run-unfinished",
    folder.state() === "started"
      ? `${path} is a run that is not finished. Go on with: hilum train DIR --out ${path} --resume`
      : `${path} is no run. Name the folder of a finished run, as hilum train --out makes it.`,
    { path },
  );
}

/** By the model as it is now, calibrated or not. Throws `run-unfinished` where it kept no predictions. */
export async function validationOf(folder: RunFolder): Promise<PredictionSet> {
  const { task, calibration } = await loadMetadata(folder.file("model"));
  const plain = await plainValidationOf(folder, task);
  return calibration ? calibratedSet(plain, calibration) : plain;
}

export function calibratedSet(set: PredictionSet, calibration: Calibration): PredictionSet {
  return {
    ...set,
    predictions: set.predictions.map(({ target, probabilities }) => ({
      target,
      probabilities: calibrateProbabilities(calibration, probabilities),
    })),
  };
}

/** By the network itself. Throws `run-unfinished` where the run kept no predictions. */
export async function plainValidationOf(folder: RunFolder, task: Task): Promise<PredictionSet> {
  if (!folder.read("validation"))
    throw new HilumError(
      "run-unfinished",
      `${folder.path} keeps no ${folder.file("validation")}: an older version trained it. Train it again, or name the films by --data.`,
      { path: folder.path },
    );
  return readPredictions(folder.file("validation"), { task });
}
