/** What models say of the same films, to be compared: those that they were validated on, or named ones. */
import { basename } from "node:path";
import { loadClassifier, loadMetadata } from "../classifier/index.node.ts";
import { openDataset } from "../datasets/index.ts";
import {
  type ComparisonReport,
  distinctNames,
  evaluate,
  type LearningHistory,
  type NamedSet,
  predictionSetOf,
  warningsOf,
} from "../evaluation/index.ts";
import { areFolds, foldsPredictions } from "./fold-predictions.ts";
import { learningOf } from "./history.ts";
import { digestsOf, filmsSeenBy } from "./run-films.ts";
import { type RunFolder, runFolder } from "./run-folder.ts";
import { type NamePatterns, runOfModel, statedPatterns } from "./run-of-model.ts";
import { finishedRun, validationOf } from "./run-validation.ts";
import { readHead } from "./transfer/head-record.ts";

export interface ComparedSets extends Pick<ComparisonReport, "facts" | "warnings" | "histories"> {
  readonly sets: readonly NamedSet[];
}

/** Of finished runs, or of all folds of cross-validations. Throws `run-unfinished`. */
export async function setsOnValidation(runs: readonly string[]): Promise<ComparedSets> {
  const names = distinctNames(runs);
  const sets: NamedSet[] = [];
  for (const [index, path] of runs.entries()) {
    sets.push({ name: names[index]!, ...(await validated(path)) });
  }
  return {
    sets,
    histories: historiesOf(
      runs.map((path) => runFolder(path)),
      names,
    ),
    facts: [
      ...names.map((name) => ["run", name] as const),
      ["films", "the runs' validation films"],
    ],
    warnings: [
      "These films chose each run's epoch and operating point: the figures are too good. Compare on test films with --data DIR.",
    ],
  };
}

/** Folds have an operating point each, so that none is that of their joined predictions. */
async function validated(path: string): Promise<Pick<NamedSet, "set" | "threshold">> {
  if (areFolds(path)) return { set: await foldsPredictions(path) };
  const run = finishedRun(path);
  const { operatingPoint } = await loadMetadata(run.file("model"));
  return { set: await validationOf(run), threshold: operatingPoint?.threshold };
}

export interface SetsOnDataOptions extends NamePatterns {
  /** By default the test part where there is one, else everything. */
  readonly split?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((progress: { model: string; done: number; total: number }) => void)
    | undefined;
}

/**
 * Of run folders or .onnx files on a folder of films, named as stated, else as the first run's data
 * were. Throws what opening, loading and `evaluate` throw.
 */
export async function setsOnData(
  models: readonly string[],
  data: string,
  { split: wanted, signal, onProgress, ...patterns }: SetsOnDataOptions = {},
): Promise<ComparedSets> {
  const names = distinctNames(models);
  const runs = models.map(runOfModel);
  const first = runs.find((run) => run !== undefined);
  const dataset = await openDataset(data, statedPatterns(first, patterns));
  const sets: NamedSet[] = [];
  const warnings: string[][] = [];
  let part: string | null = null;
  for (const [index, path] of models.entries()) {
    const [model, run] = [names[index]!, runs[index]];
    await using classifier = await loadClassifier(path);
    const { split, samples, predictions, problems } = await evaluate(classifier, dataset, {
      split: wanted,
      // Their intervals come with the comparison.
      rounds: 0,
      signal,
      onProgress: (progress) => onProgress?.({ model, ...progress }),
    });
    part = split;
    const { task, operatingPoint, provenance } = classifier.metadata;
    const set = predictionSetOf(samples, predictions, task);
    const paths = samples.map((sample) => sample.path);
    sets.push({ name: model, set, threshold: operatingPoint?.threshold });
    warnings.push(
      warningsOf(set, {
        ...(run ? filmsSeenBy(run, await digestsOf(paths)) : {}),
        leftOut: problems.length,
        leaks: provenance.validationLeaks as readonly string[] | undefined,
      }),
    );
  }
  return {
    sets,
    histories: historiesOf(runs, names),
    facts: [
      ...names.map((name) => ["model", name] as const),
      ["films", basename(dataset.root)],
      ["split", part ?? "all films"],
    ],
    warnings: saidOnce(warnings, names),
  };
}

/** Of those that lie in a run of their own. */
function historiesOf(
  runs: readonly (RunFolder | undefined)[],
  names: readonly string[],
): readonly LearningHistory[] {
  return runs.flatMap((run, index) => {
    if (!run || run.state() === "absent") return [];
    const head = readHead(run);
    const keptHead = head && head.bestEpoch - head.history.length;
    return [{ ...learningOf(run, names[index]!), keptHead }];
  });
}

/** What holds for all models once, what holds for some with their names. */
function saidOnce(warnings: readonly (readonly string[])[], names: readonly string[]): string[] {
  return [...new Set(warnings.flat())].map((warning) => {
    const of = names.filter((_, index) => warnings[index]!.includes(warning));
    return of.length === names.length ? warning : `${of.join(", ")}: ${warning}`;
  });
}
