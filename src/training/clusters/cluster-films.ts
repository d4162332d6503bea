/**
 * Films by what their images look like to a frozen backbone: a stand-in for the archives that a data
 * set does not name. Patients are clustered, never single films, and what tells the classes apart is
 * taken out first, so that a cluster is a kind of image and not a diagnosis.
 */
import { availableParallelism } from "node:os";
import {
  AUGMENTATIONS,
  buildImageCache,
  classOf,
  type Dataset,
  type DatasetProblem,
  groupBy,
  indivisibleGroups,
  labelsOf,
  type Sample,
  type Samples,
  type Task,
} from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import type { Fit } from "../../images/index.ts";
import type { TrainContext } from "../context.ts";
import { settingsOf, type TrainOptions } from "../options.ts";
import { defaultMetric } from "../suitability.ts";
import { type ChosenModel, chosenModel } from "../transfer/choose.ts";
import { openFeatures } from "../transfer/features.ts";
import { transferNetwork } from "../transfer/network.ts";
import { kMeans } from "./k-means.ts";
import { silhouettes } from "./silhouette.ts";

export type ClusterOptions = Pick<
  TrainOptions,
  "model" | "weights" | "pretrained" | "size" | "fit" | "normalization" | "seed" | "threads"
> & {
  /** Clusters; 4 by default. */
  readonly k?: number | undefined;
};

export type ClusterContext = Pick<TrainContext, "backbone" | "cacheFolder" | "signal"> & {
  readonly onProgress?:
    | ((progress: { work: "films" | "features"; done: number; total: number }) => void)
    | undefined;
};

export interface Cluster {
  /** From "1", the largest first. */
  readonly name: string;
  readonly patients: number;
  readonly films: number;
  /** Films by label. */
  readonly labels: Readonly<Record<string, number>>;
  /** Mean over its patients, -1 to 1. */
  readonly silhouette: number;
}

export interface FilmClusters {
  readonly clusters: readonly Cluster[];
  /** Mean over all patients. */
  readonly silhouette: number;
  /** The cluster's name of a film; undefined of test films and of those that cannot be read. */
  clusterOf(sample: Sample): string | undefined;
  readonly problems: readonly DatasetProblem[];
}

/**
 * The films outside the test part in k clusters of patients, by k-means on a pretrained backbone's
 * features: each film less the mean of its class, the mean over a patient's films, features scaled to
 * a deviation of 1. Throws `invalid-option`, `dataset-empty`, `split-impossible` where there are fewer
 * patients than clusters, and what reading films and weights throws.
 */
export async function clusterFilms(
  dataset: Dataset,
  { k = 4, ...options }: ClusterOptions,
  context: ClusterContext = {},
): Promise<FilmClusters> {
  const model = await chosenModel(options, context);
  const { samples, digests, rows, problems } = await featuresOf(dataset, model, options, context);
  const { of: groupOf } = indivisibleGroups(samples, (_, index) => digests[index]);
  const places = samples.map((_, index) => ({ group: String(groupOf[index]), index }));
  const groups = [...groupBy(places, ({ group }) => group)];
  if (!(Number.isInteger(k) && k >= 2 && k <= 100))
    throw new HilumError("invalid-option", `Option k is ${k}; give a whole number from 2 to 100.`, {
      option: "k",
      value: k,
    });
  if (groups.length < k)
    throw new HilumError(
      "split-impossible",
      `${samples.length} images of ${groups.length} patients cannot be put into ${k} clusters. Ask for fewer, or add patients.`,
      { patients: groups.length, k },
    );
  const centred = withoutClasses(rows, samples, dataset.task);
  const vectors = scaled(
    groups.map(([, films]) => meanOf(films.map(({ index }) => centred[index]!))),
  );
  const { clusters } = await kMeans(vectors, { k, seed: options.seed ?? 1 });
  const held = await silhouettes(vectors, clusters);
  const nameOf = (cluster: number) => String(cluster + 1);
  const byKey = new Map(
    groups.flatMap(([, films], group) =>
      films.map(({ index }) => [samples.at(index)!.key, nameOf(clusters[group]!)] as const),
    ),
  );
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    clusters: Array.from({ length: k }, (_, cluster) => {
      const name = nameOf(cluster);
      const own = samples.filter(({ key }) => byKey.get(key) === name);
      return {
        name,
        patients: new Set(own.map(({ patient }) => patient)).size,
        films: own.length,
        labels: Object.fromEntries(
          labelsOf(dataset.task).map((label, place) => [
            label,
            own.filter(({ target }) => target[place] === 1).length,
          ]),
        ),
        silhouette: mean(Array.from(held).filter((_, group) => clusters[group] === cluster)),
      };
    }),
    silhouette: mean(Array.from(held)),
    clusterOf: ({ key }) => byKey.get(key),
    problems,
  };
}

async function featuresOf(
  dataset: Dataset,
  model: ChosenModel,
  options: ClusterOptions,
  { cacheFolder, signal, onProgress }: ClusterContext,
) {
  const { name, recipe, defaults, weights } = model;
  const own = { model: name, weightsSha256: weights?.sha256 ?? null };
  const settings = settingsOf({ ...options, ...own }, recipe, {
    ...defaults,
    metric: defaultMetric(dataset.task),
    threads: availableParallelism(),
  });
  const backbone = model.isPretrained ? await model.backbone(settings) : undefined;
  if (!backbone)
    throw new HilumError(
      "invalid-option",
      `${name} has not learned anything yet that films could be told apart by. Name a pretrained backbone: --model efficientnet-lite0 --weights FILE, for example.`,
      { option: "model", value: name },
    );
  const cache = await buildImageCache(
    dataset.samples.filter(({ split }) => split !== "test"),
    {
      size: settings.size,
      fit: settings.fit as Fit,
      dir: cacheFolder,
      signal,
      onProgress: (progress) => onProgress?.({ work: "films", ...progress }),
    },
  );
  try {
    if (cache.count === 0)
      throw new HilumError(
        "dataset-empty",
        `${dataset.root} has no films outside its test part that can be read.`,
        { path: dataset.root },
      );
    const features = await openFeatures(cache, 0, {
      features: transferNetwork(backbone, settings).features,
      settings,
      augmentation: AUGMENTATIONS.none,
      cacheFolder,
      signal,
      onProgress: (progress) => onProgress?.({ work: "features", ...progress }),
    });
    try {
      const rows = cache.samples.map((_, index) => {
        const row = new Float32Array(features.width);
        features.readInto(index, 0, row);
        return row;
      });
      return {
        samples: cache.samples,
        digests: rows.map((_, index) => cache.digestAt(index)),
        rows,
        problems: cache.problems,
      };
    } finally {
      features.close();
    }
  } finally {
    cache.close();
  }
}

/** Each row less the mean of its class; as they are where films may have several findings. */
function withoutClasses(
  rows: readonly Float32Array[],
  samples: Samples,
  task: Task,
): readonly Float32Array[] {
  const classes = samples.map((sample) => classOf(sample, task));
  const means = new Map(
    [...new Set(classes)].map((own) => [own, meanOf(rows.filter((_, i) => classes[i] === own))]),
  );
  return rows.map((row, index) => {
    const mean = means.get(classes[index]!)!;
    return row.map((value, j) => value - mean[j]!);
  });
}

function meanOf(rows: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let j = 0; j < row.length; j++) sum[j]! += row[j]!;
  return Float32Array.from(sum, (value) => value / rows.length);
}

/** Columns to a deviation of 1; a column that never changes stays as it is. */
function scaled(rows: readonly Float32Array[]): readonly Float32Array[] {
  const mean = meanOf(rows);
  const squares = new Float64Array(mean.length);
  for (const row of rows)
    for (let j = 0; j < row.length; j++) squares[j]! += (row[j]! - mean[j]!) ** 2;
  const deviation = squares.map((sum) => Math.sqrt(sum / rows.length) || 1);
  return rows.map((row) => row.map((value, j) => value / deviation[j]!));
}
