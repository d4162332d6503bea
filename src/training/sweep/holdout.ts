/**
 * Patients that no trial sees: drawn when the sweep begins, read when it ends by the best and by the
 * network's own recipe. Their films are written down, so that every worker leaves out the same.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadClassifier } from "../../classifier/index.node.ts";
import {
  type Dataset,
  defaultCacheFolder,
  manifestLines,
  openDigestMemory,
  type Sample,
  type Samples,
  samplesFrom,
  splitByPatient,
} from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import {
  compareSets,
  evaluate,
  type MetricDifference,
  type MetricValue,
  type NamedSet,
  predictionSetOf,
} from "../../evaluation/index.ts";
import { writeFileAtomically } from "../../files.node.ts";
import { hashPath } from "../../random.ts";
import { refuseDamaged, runFolder } from "../run-folder.ts";
import { metricObjective, type SweepConfig } from "./config.ts";
import { SWEEP_FILES } from "./sweep-folder.ts";

export interface Holdout {
  readonly films: number;
  readonly patients: number;
  /** The first objective that is a metric, of the best configuration and of the recipe. */
  readonly metric: string;
  readonly best: MetricValue;
  readonly recipe: MetricValue;
  /** The best less the recipe, paired, with an interval by patient. */
  readonly difference: MetricDifference;
  /** The same of every metric. */
  readonly differences: Readonly<Record<string, MetricDifference>>;
}

/** The parts that a trial might see. */
const DRAWN_FROM: readonly (string | null)[] = [null, "train", "val"];

/** Draws so large a share of the patients, and writes their films into the sweep's folder. */
export async function drawHoldout(
  sweep: string,
  { samples, task }: Dataset,
  { share, seed, cacheFolder }: { share: number; seed: number; cacheFolder?: string | undefined },
): Promise<void> {
  if (!(share > 0 && share < 1))
    throw new HilumError(
      "invalid-option",
      `Option holdout is ${share}; it has to be a number above 0 and below 1, such as 0.2.`,
      { option: "holdout", value: share },
    );
  const pool = samples.filter(({ split }) => DRAWN_FROM.includes(split));
  const digests = await digestsOf(pool, cacheFolder ?? defaultCacheFolder());
  const digestOf = ({ key }: Sample) => digests.get(key);
  const { validation: test } = splitByPatient(
    samplesFrom(pool.length, (index) => ({ ...pool.at(index)!, split: null })),
    task,
    { seed: hashPath(seed, "sweep", "holdout"), valFraction: share, digestOf },
  );
  mkdirSync(sweep, { recursive: true });
  const lines = manifestLines({ train: [], validation: [], test }, task, { digestOf });
  writeFileAtomically(join(sweep, SWEEP_FILES.holdout), lines);
}

/** Patients who share a film are held out together. A film that cannot be read has no digest. */
async function digestsOf(samples: Samples, folder: string): Promise<Map<string, string>> {
  mkdirSync(folder, { recursive: true });
  const memory = await openDigestMemory(folder);
  try {
    const digests = new Map<string, string>();
    for (const { key, path } of samples) {
      const digest = await memory.digest(path).catch(() => undefined);
      if (digest) digests.set(key, digest);
    }
    await memory.save();
    return digests;
  } finally {
    memory.close();
  }
}

export interface HeldDataset {
  /** For trials. */
  readonly seen: Dataset;
  readonly held: Dataset;
}

/** The data set in its two parts; the second is empty where nothing is held out. */
export function withoutHoldout(sweep: string, dataset: Dataset): HeldDataset {
  const keys = keysOf(join(sweep, SWEEP_FILES.holdout));
  const part = (isKept: (sample: Sample) => boolean): Dataset => {
    const samples = dataset.samples.filter(isKept);
    return {
      ...dataset,
      samples,
      split: (name) => samples.filter(({ split }) => split === name),
    };
  };
  return { seen: part(({ key }) => !keys.has(key)), held: part(({ key }) => keys.has(key)) };
}

function keysOf(path: string): ReadonlySet<string> {
  if (!existsSync(path)) return new Set();
  try {
    const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
    return new Set(lines.map((line) => (JSON.parse(line) as { path: string }).path));
  } catch (cause) {
    return refuseDamaged(path, "has a line that cannot be read", cause);
  }
}

/** Folders of two finished runs. */
export interface Contest {
  readonly best: string;
  readonly recipe: string;
}

/** What both say of the films that were held out. What a run said before is not asked again. */
export async function judgedOn(
  held: Dataset,
  sweep: string,
  { objectives }: SweepConfig,
  { best, recipe }: Contest,
  signal?: AbortSignal | undefined,
): Promise<Holdout> {
  const sets: NamedSet[] = [];
  for (const [name, run] of Object.entries({ best, recipe }))
    sets.push({ name, ...(await saidBy(run, held, join(sweep, SWEEP_FILES.heldOut), signal)) });
  const { comparison } = compareSets(sets);
  const { differences } = comparison.pairs[0]!;
  const { name: metric } = metricObjective(objectives);
  const [first, second] = comparison.models.map(({ evaluation }) => evaluation.metrics[metric]!);
  return {
    films: comparison.n,
    patients: new Set(sets[0]!.set.patients).size,
    metric,
    best: first!,
    recipe: second!,
    difference: differences[metric]!,
    differences,
  };
}

type Said = Pick<NamedSet, "set" | "threshold">;

async function saidBy(
  run: string,
  held: Dataset,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Said> {
  const path = join(folder, `${run.split(/[\\/]/).at(-1)}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Said;
  await using classifier = await loadClassifier(runFolder(run).file("model"));
  const { samples, predictions } = await evaluate(
    classifier,
    { ...held, split: () => held.samples },
    {
      rounds: 0,
      signal,
    },
  );
  const { task, operatingPoint } = classifier.metadata;
  const plain = predictions.map(({ target, probabilities }) => ({
    target,
    probabilities: Array.from(probabilities),
  }));
  const said = { set: predictionSetOf(samples, plain, task), threshold: operatingPoint?.threshold };
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomically(path, JSON.stringify(said));
  return said;
}
