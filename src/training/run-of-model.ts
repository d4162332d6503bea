/** The run that a model lies in, and what it tells of an evaluation. */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { type Classifier, readFeatures } from "../classifier/index.node.ts";
import { type OpenOptions, openDataset } from "../datasets/index.ts";
import { isHilumError } from "../errors.ts";
import {
  drawnFilms,
  type Embeddings,
  evaluate,
  filmStatistics,
  predictionSetOf,
  type Validation,
} from "../evaluation/index.ts";
import { RUN_FILES, type RunFolder, runFolder } from "./run-folder.ts";
import { validationOf } from "./run-validation.ts";
import { readValidationFeatures } from "./validation-features.ts";

/** Undefined for a model that lies away from its run. */
export function runOfModel(model: string): RunFolder | undefined {
  const folder = runFolder(basename(model) === RUN_FILES.model ? dirname(model) : model);
  return folder.state() === "absent" ? undefined : folder;
}

export type NamePatterns = Pick<OpenOptions, "patientPattern" | "labelPattern">;

/** Those stated, else those by which the run's own data named patients and classes. */
export function statedPatterns(
  run: RunFolder | undefined,
  { patientPattern, labelPattern }: NamePatterns,
): NamePatterns {
  const own = run?.config().settings;
  return {
    patientPattern: patientPattern ?? own?.patientPattern ?? undefined,
    labelPattern: labelPattern ?? own?.labelPattern ?? undefined,
  };
}

/** The evaluated films, and who reads them. */
export interface Evaluated {
  readonly classifier: Classifier;
  readonly paths: readonly string[];
  readonly threads?: number | undefined;
}

/**
 * What is known of the validation films: scores and features from the run's own files; statistics of
 * these films and of the evaluated ones where the files of the former are still there.
 */
export async function validationFor(
  run: RunFolder | undefined,
  evaluated: Evaluated,
): Promise<Validation> {
  if (!run)
    return {
      unknown:
        "not defined: the model lies away from its run, which keeps validation.csv (name films to hold them against by --reference)",
    };
  if (run.state() !== "finished") return { unknown: "not defined: the run is not finished" };
  if (!run.read("validation"))
    return {
      unknown:
        "not defined: an older version trained the run, and kept no validation.csv (name films to hold them against by --reference)",
    };
  const set = await validationOf(run);
  const embeddings = await embeddingsOf(run, evaluated);
  const root = run.config().data;
  const paths = set.keys.map((key) => resolve(root, key)).filter((path) => existsSync(path));
  if (paths.length < set.keys.length)
    return { set, films: { validation: {}, evaluated: {} }, embeddings };
  return { set, films: await statisticsOf(paths, evaluated), embeddings };
}

async function statisticsOf(paths: readonly string[], evaluated: Evaluated) {
  const [validation, here] = [await filmStatistics(paths), await filmStatistics(evaluated.paths)];
  return { validation, evaluated: here };
}

async function embeddingsOf(run: RunFolder, evaluated: Evaluated): Promise<Embeddings> {
  const validation = readValidationFeatures(run);
  if (!validation)
    return {
      unknown: `not defined: the run keeps no ${RUN_FILES.features}, for an older version trained it or its network has no dense head`,
    };
  const here = await featuresOf(evaluated, evaluated.paths);
  if ("unknown" in here) return here;
  const widths = [validation, here.features].map((set) => set[0]?.length);
  if (here.features.length > 0 && widths[0] !== widths[1])
    return { unknown: "not defined: the model is not the one that the run trained" };
  return { validation, evaluated: here.features };
}

async function featuresOf(
  { classifier, threads }: Evaluated,
  paths: readonly string[],
): Promise<{ readonly features: Float32Array[] } | { readonly unknown: string }> {
  try {
    return { features: await readFeatures(classifier.model, drawnFilms(paths), { threads }) };
  } catch (error) {
    if (isHilumError(error) && error.code === "not-a-classifier")
      return { unknown: `not defined: ${error.message.replace(/\.$/, "")}` };
    throw error;
  }
}

/**
 * The same of films that the user names in the place of the validation films: those of their
 * validation part where there is one, else all. Throws what opening and `evaluate` throw.
 */
export async function statedReference(
  data: string,
  patterns: NamePatterns,
  evaluated: Evaluated,
): Promise<Validation> {
  const { classifier } = evaluated;
  const dataset = await openDataset(data, patterns);
  const split = dataset.samples.some((sample) => sample.split === "val") ? "val" : null;
  const chosen = split ? dataset.split(split) : dataset.samples;
  const drawn = new Set(drawnFilms(chosen.map(({ key }) => key)));
  const part = { ...dataset, samples: chosen.filter(({ key }) => drawn.has(key)) };
  const { samples, predictions } = await evaluate(
    classifier,
    { ...part, split: () => part.samples },
    { split: split ?? undefined, rounds: 0 },
  );
  const paths = samples.map(({ path }) => path);
  const [theirs, ours] = [
    await featuresOf(evaluated, paths),
    await featuresOf(evaluated, evaluated.paths),
  ];
  return {
    set: predictionSetOf(samples, predictions, classifier.metadata.task),
    isStated: true,
    films: await statisticsOf(paths, evaluated),
    embeddings:
      "unknown" in theirs
        ? theirs
        : "unknown" in ours
          ? ours
          : { validation: theirs.features, evaluated: ours.features },
  };
}
