/** The films of a run: cached, split by patient, checked for leaks, written down. */
import { createHash } from "node:crypto";
import {
  buildImageCache,
  type Dataset,
  type DatasetProblem,
  type DigestInPart,
  findLeaks,
  type ImageCache,
  joined,
  manifestLines,
  picked,
  type Sample,
  type Samples,
  splitByPatient,
} from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import type { Fit } from "../images/index.ts";
import type { Settings } from "./options.ts";

export interface RunData {
  readonly train: ImageCache;
  readonly validation: ImageCache;
  readonly problems: readonly DatasetProblem[];
  /** What crosses from training to validation: patients, copies. Empty unless leaks are allowed. */
  readonly leaks: readonly DatasetProblem[];
  /** Lines of JSONL that `openDataset` reads back, each with its line feed; made anew each time, until `close`. */
  manifest(): Iterable<string>;
  readonly manifestSha256: string;
  close(): void;
}

export interface DataOptions {
  /** `HILUM_CACHE` or the user's cache folder where nothing is said. */
  readonly cacheFolder?: string | undefined;
  /** Throws at the first film that cannot be read, which is a problem otherwise. */
  readonly isStrict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * Caches the films and splits them. The test part is not read. Throws `data-leak` when patients or
 * copies cross from training to validation and leaks are not allowed, and `dataset-empty` when no
 * film can be read.
 */
export async function openRunData(
  dataset: Dataset,
  settings: Settings,
  options: DataOptions = {},
): Promise<RunData> {
  const isTest = (sample: Sample) => sample.split === "test";
  const cache = await buildImageCache(
    dataset.samples.filter((sample) => !isTest(sample)),
    {
      size: settings.size,
      fit: settings.fit as Fit,
      ...(settings.window ? { window: settings.window } : {}),
      dir: options.cacheFolder,
      strict: options.isStrict,
      signal: options.signal,
      onProgress: options.onProgress,
    },
  );
  try {
    if (cache.count === 0) refuseUnreadable(dataset, cache.problems);
    return splitCache(dataset, dataset.samples.filter(isTest), settings, cache);
  } catch (error) {
    cache.close();
    throw error;
  }
}

function splitCache(
  { task, problems }: Dataset,
  tests: Samples,
  { seed, valFraction, folds, fold, foldBy, allowLeaks }: Settings,
  cache: ImageCache,
): RunData {
  const split = splitByPatient(joined(cache.samples, tests), task, {
    seed,
    valFraction,
    digestOf: (_, index) => (index < cache.count ? cache.digestAt(index) : undefined),
    ...(folds === null || fold === null
      ? {}
      : { folds, fold: fold - 1, foldBy: foldBy ?? undefined }),
  });
  const train = partOf(cache, split.places.train);
  const validation = partOf(cache, split.places.validation);
  const parts = { train: train.samples, validation: validation.samples };
  const digestOf: DigestInPart = (_, index, part) =>
    (part === "train" ? train : validation).digestAt(index);
  const leaks = findLeaks(parts.train, parts.validation, digestOf);
  if (leaks.length > 0 && !allowLeaks) refuseLeaks(leaks);
  const manifest = () => manifestLines(parts, task, { digestOf });
  return {
    train,
    validation,
    problems: [...problems, ...cache.problems, ...split.warnings, ...leaks],
    leaks,
    manifest,
    manifestSha256: sha256Of(manifest()),
    close: () => cache.close(),
  };
}

/** Some films of a cache as a cache of their own; the whole one stays open below it. */
function partOf(cache: ImageCache, places: Uint32Array): ImageCache {
  const close = () => undefined;
  let wanted = new Uint32Array();
  return {
    count: places.length,
    size: cache.size,
    samples: picked(cache.samples, places),
    digestAt: (index) => cache.digestAt(places[index]!),
    problems: [],
    readInto(indices, out) {
      if (wanted.length !== indices.length) wanted = new Uint32Array(indices.length);
      for (let i = 0; i < wanted.length; i++) wanted[i] = places[indices[i]!]!;
      cache.readInto(wanted, out);
    },
    close,
    [Symbol.dispose]: close,
  };
}

function sha256Of(lines: Iterable<string>): string {
  const sha256 = createHash("sha256");
  for (const line of lines) sha256.update(line);
  return sha256.digest("hex");
}

function refuseUnreadable({ root }: Dataset, problems: readonly DatasetProblem[]): never {
  const [first] = problems;
  throw new HilumError(
    "dataset-empty",
    first
      ? `None of the ${problems.length} images can be read. The first: ${first.message}`
      : `${root} has images to test on only: name some train, or put them into no split.`,
    { problems: problems.slice(0, 10) },
  );
}

function refuseLeaks(leaks: readonly DatasetProblem[]): never {
  throw new HilumError(
    "data-leak",
    `${leaks.map(({ message }) => message).join(" ")} Validation would flatter the model. Mend the data set's own split, or give --allow-leaks, which is recorded.`,
    { leaks },
  );
}
