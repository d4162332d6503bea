/** The run that a model lies in, and what it tells of an evaluation. */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { OpenOptions } from "../datasets/index.ts";
import { filmStatistics, type Validation } from "../evaluation/index.ts";
import { RUN_FILES, type RunFolder, runFolder } from "./run-folder.ts";
import { validationOf } from "./run-validation.ts";

/** Undefined for a model that lies away from its run. */
export function runOfModel(model: string): RunFolder | undefined {
  const folder = runFolder(basename(model) === RUN_FILES.model ? dirname(model) : model);
  return folder.state() === "absent" ? undefined : folder;
}

/** How a run's own data named patients and classes. */
export function patternsOf(
  run: RunFolder | undefined,
): Pick<OpenOptions, "patientPattern" | "labelPattern"> {
  if (!run) return {};
  const { patientPattern, labelPattern } = run.config().settings;
  return { patientPattern: patientPattern ?? undefined, labelPattern: labelPattern ?? undefined };
}

/**
 * What is known of the validation films: scores from the run's own predictions; statistics of these
 * films and of the evaluated ones (paths) where the files of the former are still there.
 */
export async function validationFor(
  run: RunFolder | undefined,
  evaluated: readonly string[],
): Promise<Validation> {
  if (!run)
    return { unknown: "not known: the model lies away from its run, which keeps validation.csv" };
  if (run.state() !== "finished") return { unknown: "not known: the run is not finished" };
  if (!run.read("validation"))
    return { unknown: "not known: an older version trained the run, and kept no validation.csv" };
  const set = await validationOf(run);
  const root = run.config().data;
  const paths = set.keys.map((key) => resolve(root, key)).filter((path) => existsSync(path));
  if (paths.length < set.keys.length) return { set, films: { validation: {}, evaluated: {} } };
  const [validation, here] = await Promise.all([filmStatistics(paths), filmStatistics(evaluated)]);
  return { set, films: { validation, evaluated: here } };
}
