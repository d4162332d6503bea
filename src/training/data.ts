/** The films of a run: cached, split by patient, checked for leaks, written down. */
import { createHash } from "node:crypto";
import {
  buildImageCache,
  type Dataset,
  type DatasetProblem,
  findLeaks,
  type ImageCache,
  type Sample,
  splitByPatient,
} from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import type { Fit, WindowSetting } from "../images/index.ts";
import type { Settings } from "./options.ts";

export interface RunData {
  readonly train: ImageCache;
  readonly validation: ImageCache;
  readonly problems: readonly DatasetProblem[];
  /** JSONL: one line per film with its part. */
  readonly manifest: string;
  readonly manifestSha256: string;
  close(): void;
}

export interface DataOptions {
  readonly cacheFolder?: string | undefined;
  readonly isStrict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * Caches the films and splits them. The test part is neither read nor used. Throws `data-leak`
 * when patients or copies cross from training to validation and leaks are not allowed.
 */
export async function openRunData(
  dataset: Dataset,
  settings: Settings,
  options: DataOptions = {},
): Promise<RunData> {
  const usable = dataset.samples.filter((sample) => sample.split !== "test");
  const cacheOptions = {
    size: settings.size,
    fit: settings.fit as Fit,
    ...(settings.window ? { window: settings.window as WindowSetting } : {}),
    dir: options.cacheFolder,
    strict: options.isStrict,
    signal: options.signal,
  };
  const all = await buildImageCache(usable, { ...cacheOptions, onProgress: options.onProgress });
  const digests = new Map(all.samples.map((sample, index) => [sample.key, all.digests[index]!]));
  const digestOf = (sample: Sample) => digests.get(sample.key);
  const { seed, valFraction, folds, fold } = settings;
  const split = splitByPatient(all.samples, dataset.task, {
    seed,
    valFraction,
    digestOf,
    ...(folds === null ? {} : { folds, fold: (fold ?? 1) - 1 }),
  });
  const leaks = findLeaks(split.train, split.validation, digestOf);
  if (leaks.length > 0 && !settings.allowLeaks)
    throw new HilumError(
      "data-leak",
      `${leaks.map(({ message }) => message).join(" ")} Validation would flatter the model. Mend the data set's own split, or give --allow-leaks, which is recorded.`,
      { leaks },
    );
  const manifest = manifestOf(split, digestOf);
  const train = await buildImageCache(split.train, cacheOptions);
  const validation = await buildImageCache(split.validation, cacheOptions);
  all.close();
  return {
    train,
    validation,
    problems: [...dataset.problems, ...all.problems, ...split.warnings, ...leaks],
    manifest,
    manifestSha256: createHash("sha256").update(manifest).digest("hex"),
    close() {
      train.close();
      validation.close();
    },
  };
}

function manifestOf(
  split: { readonly train: readonly Sample[]; readonly validation: readonly Sample[] },
  digestOf: (sample: Sample) => string | undefined,
): string {
  const line = (part: string) => (sample: Sample) =>
    JSON.stringify({
      path: sample.key,
      split: part,
      patient: sample.patient,
      target: sample.target,
      sha256: digestOf(sample),
    });
  return `${[...split.train.map(line("train")), ...split.validation.map(line("val"))].join("\n")}\n`;
}
