/** What is known of the films that a model was validated on. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { filmStatistics, type Validation } from "../evaluation/index.ts";
import type { RunFolder } from "../training/index.ts";

/** Scores from the run's own predictions; statistics of films where their files are still there. */
export async function validationFor(
  run: RunFolder | undefined,
  evaluated: readonly string[],
): Promise<Validation> {
  if (!run)
    return { unknown: "not known: the model lies away from its run, which keeps validation.csv" };
  if (run.state() !== "finished" || !run.read("validation"))
    return { unknown: "not known: the run keeps no validation.csv" };
  const { validationOf } = await import("../training/index.ts");
  const set = await validationOf(run);
  const root = run.config().data;
  const paths = set.keys.map((key) => resolve(root, key)).filter((path) => existsSync(path));
  if (paths.length < set.keys.length) return { set, films: { validation: {}, evaluated: {} } };
  const [validation, here] = await Promise.all([filmStatistics(paths), filmStatistics(evaluated)]);
  return { set, films: { validation, evaluated: here } };
}
