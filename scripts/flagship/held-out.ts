/**
 * One recipe with one cluster of images held out: trained, calibrated and given a threshold on patients
 * of the other clusters, then asked about the held ones, of which it has not seen anything.
 */
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { loadClassifier, loadMetadata } from "../../src/classifier/index.node.ts";
import { type Calibration, calibrateProbabilities } from "../../src/classifier/index.ts";
import { type Dataset, groupBy, type Sample, type Samples } from "../../src/datasets/index.ts";
import {
  type MixtureReading,
  type PredictionSet,
  predictionsCsv,
  readPredictions,
  readShiftMixture,
} from "../../src/evaluation/index.ts";
import { writeFileAtomically } from "../../src/files.node.ts";
import { writeModelFile } from "../../src/onnx/index.node.ts";
import { randomStream } from "../../src/random.ts";
import {
  averagedRuns,
  calibrateRun,
  finishedRun,
  type RunFolder,
  runFolder,
  type TrainContext,
  type TrainOptions,
  train,
} from "../../src/training/index.ts";
import { FLAGSHIP } from "./recipe.ts";

export interface HoldingOut {
  /** Films with the column `cluster`. */
  readonly dataset: Dataset;
  readonly cluster: string;
  readonly options: TrainOptions & { readonly seed: number };
  /** Folders of the runs whose weights are averaged in place of training; none to train. */
  readonly ingredients?: readonly string[] | undefined;
  /** Films at most, by whole patients, to train on and to judge; undefined for all. */
  readonly films?: number | undefined;
  readonly judged?: number | undefined;
  readonly context: Pick<TrainContext, "backbone" | "cacheFolder" | "signal" | "onEvent">;
  readonly onProgress?: ((title: string, done: number, total: number) => void) | undefined;
}

/** What a model says of the films of the held cluster. */
export interface HeldOut {
  /** Each film clean and in every part of the mixture, by the network itself. */
  readonly plain: PredictionSet;
  readonly calibration: Calibration;
  /** Of calibrated probabilities. */
  readonly threshold: number;
}

const HELD = "held.csv";
const DONE = "done";
/** What a training leaves that is not so of the mean with others. */
const NOT_COPIED: ReadonlySet<string> = new Set([HELD, DONE, "checkpoints"]);

export const isHeldOut = (out: string): boolean => existsSync(join(out, DONE));

/** Goes on where it stopped. Throws what training, calibrating and reading throw. */
export async function holdOut(out: string, holding: HoldingOut): Promise<void> {
  const { dataset, cluster, options, ingredients = [], context, onProgress } = holding;
  const { seed } = options;
  const isHeld = ({ columns }: Sample) => columns.cluster === cluster;
  const progress = (title: string) => ({
    signal: context.signal,
    onProgress: ({ done, total }: { done: number; total: number }) =>
      onProgress?.(title, done, total),
  });
  if (ingredients.length > 0) await average(out, ingredients);
  else {
    const others = dataset.samples.filter((sample) => !isHeld(sample));
    const samples = drawn(others, holding.films, seed);
    await train({ ...dataset, samples }, options, { ...context, out, isResumed: true });
  }
  if (!existsSync(join(out, HELD))) {
    const held = drawn(dataset.samples.filter(isHeld), holding.judged, seed);
    await using classifier = await loadClassifier(out, options);
    const parts = await readShiftMixture(classifier, [...held], progress("reading the held films"));
    writeFileAtomically(join(out, HELD), predictionsCsv(setOf(dataset, held, parts)));
  }
  await calibrateRun(finishedRun(out), {
    method: FLAGSHIP.calibration,
    rule: FLAGSHIP.rule,
    corrupted: progress("reading validation films"),
  });
  writeFileAtomically(join(out, DONE), "");
}

/** The first run once more, with the mean of the weights of all, as what follows expects a run. */
async function average(out: string, ingredients: readonly string[]): Promise<void> {
  if (existsSync(out)) return;
  const [first, ...others] = ingredients.map(finishedRun) as [RunFolder, ...RunFolder[]];
  const mean = await averagedRuns(first, others);
  const made = mkdtempSync(join(dirname(out), `.${basename(out)}-`));
  try {
    const isKept = (path: string) => !NOT_COPIED.has(basename(path));
    cpSync(first.path, made, { recursive: true, filter: isKept });
    writeModelFile(runFolder(made).file("model"), mean);
    renameSync(made, out);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

export async function readHeldOut(out: string): Promise<HeldOut> {
  const { task, calibration, operatingPoint } = await loadMetadata(out);
  return {
    plain: await readPredictions(join(out, HELD), { task }),
    calibration: calibration!,
    threshold: operatingPoint!.threshold,
  };
}

export const calibratedBy = (
  { calibration }: Pick<HeldOut, "calibration">,
  probabilities: ArrayLike<number>,
): number[] => calibrateProbabilities(calibration, probabilities);

/** Whole patients in an order drawn by the seed until there are so many films; the order of `samples`. */
function drawn(samples: Samples, most: number | undefined, seed: number): Samples {
  if (most === undefined || most >= samples.length) return samples;
  const patients = groupBy(samples, ({ patient }) => patient);
  const chosen = new Set<string>();
  let films = 0;
  for (const patient of randomStream(seed, "yardstick").shuffled([...patients.keys()].sort())) {
    if (films >= most) break;
    chosen.add(patient);
    films += patients.get(patient)!.length;
  }
  return samples.filter(({ patient }) => chosen.has(patient));
}

function setOf({ task }: Dataset, held: Samples, parts: readonly MixtureReading[]): PredictionSet {
  const each = <T>(of: (sample: Sample, part: MixtureReading) => T) =>
    parts.flatMap((part) => held.map((sample) => of(sample, part)));
  return {
    task,
    keys: each(({ key }, { corruption }) => (corruption === "none" ? key : `${key} ${corruption}`)),
    patients: each(({ patient }) => patient),
    predictions: parts.flatMap(({ predictions }) => predictions),
    columns: { corruption: each((_, { corruption }) => corruption) },
  };
}
