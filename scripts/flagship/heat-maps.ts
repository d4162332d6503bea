/** Whether the heat maps of the shipped file show what its answers on validation films rest on. */
import { join } from "node:path";
import { loadClassifier } from "../../src/classifier/index.node.ts";
import { labelsOf } from "../../src/datasets/index.ts";
import {
  explainedFilms,
  faithfulness,
  type ReportedFaithfulness,
} from "../../src/evaluation/index.ts";
import type { RunFolder } from "../../src/training/index.ts";
import type { FlagshipRecipe } from "./recipe.ts";

interface HeatMapOptions {
  readonly run: RunFolder;
  readonly data: string;
  readonly wanted: FlagshipRecipe["faithfulness"];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Of films drawn by seed among those that the gate lets through and the file calls positive. */
export async function heatMapsTried(
  file: string,
  { run, data, wanted, signal, onProgress }: HeatMapOptions,
): Promise<ReportedFaithfulness> {
  await using classifier = await loadClassifier(file);
  const { task, operatingPoint } = classifier.metadata;
  const films = run
    .lines<{ path: string; split: string; patient: string; label: string }>("manifest")
    .filter(({ split }) => split === "val")
    .map(({ path, ...line }) => ({ ...line, key: path, path: join(data, path) }));
  const readings = await classifier.read(
    films.map(({ path }) => path),
    { signal },
  );
  const names = labelsOf(task);
  const set = {
    task,
    keys: films.map(({ key }) => key),
    patients: films.map(({ patient }) => patient),
    predictions: readings.map(({ reading }, index) => ({
      target: names.map((name): 0 | 1 => (name === films[index]!.label ? 1 : 0)),
      probabilities: names.map((name) => reading!.probabilities[name]!),
    })),
    columns: {},
  };
  const {
    class: of,
    films: chosen,
    others,
  } = explainedFilms(set, {
    most: wanted.films,
    threshold: operatingPoint?.threshold ?? null,
    isLeftOut: (index) => !readings[index]!.reading!.assessed,
  });
  if (chosen.length === 0) return { unknown: `no film is called ${of}` };
  return faithfulness(
    classifier,
    chosen.map((index, place) => ({ ...films[index]!, other: films[others[place] ?? -1]?.path })),
    { class: of, methods: wanted.methods, signal, onProgress },
  );
}
