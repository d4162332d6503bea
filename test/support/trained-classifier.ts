/** A classifier trained for a moment on synthetic films, with what its run said of each of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadClassifier } from "../../src/classifier/index.node.ts";
import { type Dataset, openDataset } from "../../src/datasets/index.ts";
import type { Prediction } from "../../src/evaluation/index.ts";
import { readImage } from "../../src/images/index.ts";
import { type RunResult, type TrainOptions, train } from "../../src/training/index.ts";

export interface TrainedClassifier {
  readonly run: RunResult;
  /** The run's validation films, by path, with what its own graph says of each from the cache. */
  readonly validation: readonly { readonly path: string; readonly prediction: Prediction }[];
}

/** Fast, and soon sure of itself: films' probabilities then lie far apart (0.5 and more). */
export const BRIEFLY = {
  model: "dense",
  size: 48,
  epochs: 5,
  batch: 8,
  lr: 0.003,
  augmentation: "none",
  metric: "latest",
} satisfies TrainOptions;

export async function trainedClassifier(
  data: Dataset | string,
  options: TrainOptions,
  { out, cacheFolder }: { readonly out: string; readonly cacheFolder: string },
): Promise<TrainedClassifier> {
  let last: readonly Prediction[] = [];
  let count = 0;
  // Makes the last epoch the best one, and keeps what validation saw then.
  const latest = (predictions: readonly Prediction[]) => {
    last = predictions;
    return ++count;
  };
  const dataset = typeof data === "string" ? await openDataset(data) : data;
  const run = await train(
    data,
    { ...BRIEFLY, ...options },
    { out, cacheFolder, metrics: { latest } },
  );
  const lines = readFileSync(join(out, "manifest.jsonl"), "utf8").trim().split("\n");
  const paths = new Map(dataset.samples.map(({ key, path }) => [key, path]));
  const validation = lines
    .map((line) => JSON.parse(line) as { readonly path: string; readonly split: string })
    .filter(({ split }) => split === "val")
    .map(({ path }, index) => ({ path: paths.get(path)!, prediction: last[index]! }));
  return { run, validation };
}

/** The largest difference between what the run said from its cache and what its file says of films. */
export async function worstDifference({ run, validation }: TrainedClassifier): Promise<number> {
  await using classifier = await loadClassifier(run.run);
  const films = await Promise.all(validation.map(({ path }) => readImage(path)));
  const found = await classifier.probabilities(films);
  const differences = validation.flatMap(({ prediction }, index) =>
    Array.from(prediction.probabilities, (p, k) => Math.abs(p - found[index]![k]!)),
  );
  return Math.max(...differences);
}

/** How far apart the films' probabilities lie: equal ones would agree with anything. */
export function spreadOfRun({ validation }: TrainedClassifier): number {
  const first = validation.map(({ prediction }) => prediction.probabilities[0]!);
  return Math.max(...first) - Math.min(...first);
}
