/** A model on films made worse: how long it takes, and what it says. */
import { loadClassifier } from "../classifier/index.node.ts";
import type { Dataset } from "../datasets/index.ts";
import {
  chosenSamples,
  type DatasetEvaluation,
  estimateRobustness,
  filmsDrawn,
  type Robustness,
  robustness,
} from "../evaluation/index.ts";
import type { ReportModelOptions } from "./report-model.ts";

/** Tells `onEstimate`, where a film of the split can be read. */
export async function sayEstimate(
  model: string,
  dataset: Dataset,
  { split, threads, robustnessFilms = Infinity, onEstimate }: ReportModelOptions,
): Promise<void> {
  const drawn = filmsDrawn([...chosenSamples(dataset, split).samples], robustnessFilms);
  await using reader = await loadClassifier(model, { threads: 1 });
  const paths = drawn.map(({ path }) => path);
  const estimate = await estimateRobustness(reader, paths, { atOnce: threads });
  if (estimate) onEstimate?.(estimate);
}

/** Of the evaluated films, or a draw of them; undefined where that is not wanted. */
export async function spoiltReadings(
  model: string,
  { samples, predictions }: DatasetEvaluation,
  options: ReportModelOptions,
): Promise<Robustness | undefined> {
  const { isRobustnessWanted, robustnessFilms = Infinity, threshold, threads, signal } = options;
  if (!isRobustnessWanted) return undefined;
  const films = samples.map(({ path }, index) => ({ path, target: predictions[index]!.target }));
  // Films are read beside each other, by one thread each.
  await using reader = await loadClassifier(model, { threads: 1 });
  return await robustness(reader, filmsDrawn(films, robustnessFilms), {
    threshold,
    signal,
    atOnce: threads,
    onProgress: (progress) => options.onProgress?.({ work: "spoiling films", ...progress }),
  });
}
