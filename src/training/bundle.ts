/** A run's model as it is given away: with passes of the classifier room, judged as it then answers. */
import { resolve } from "node:path";
import {
  type CalibrationMethod,
  calibrated,
  flipAveraged,
  type HeatMapMethod,
  type OperatingPoint,
  readMetadata,
  uncalibrated,
  withFeatures,
  withGate,
  withHeatMap,
  withStoredWeights,
  writeMetadata,
} from "../classifier/index.ts";
import { HilumError } from "../errors.ts";
import {
  type Evaluation,
  evaluatePredictions,
  fitCalibration,
  type OperatingRule,
  type PredictionSet,
  predictionsCsv,
} from "../evaluation/index.ts";
import { writeFileAtomically } from "../files.node.ts";
import type { StoredWeights } from "../models/index.ts";
import { readModelFile, writeModelFile } from "../onnx/index.node.ts";
import type { Model } from "../onnx/index.ts";
import { averagedRuns } from "./averaged-runs.ts";
import { CORRUPTED, operatingPointOf } from "./calibrate.ts";
import { type CardFacts, cardFacts } from "./card/facts.ts";
import { cardMarkdown } from "./card/text.ts";
import { type ReadValidationOptions, validationBy } from "./read-validation.ts";
import type { RunFolder } from "./run-folder.ts";
import { calibratedSet, plainValidationOf } from "./run-validation.ts";

export interface BundleOptions extends ReadValidationOptions {
  /** The `.onnx` file; its card goes beside it. */
  readonly out: string;
  /** Runs that began with the same weights: each weight becomes the mean of theirs and the run's own. */
  readonly averageWith?: readonly RunFolder[] | undefined;
  readonly averaging?: "flip" | undefined;
  readonly hasFeatures?: boolean | undefined;
  readonly heatMap?: HeatMapMethod | undefined;
  /** File of the gate to put in front (`npm run gate` makes one). */
  readonly gate?: string | undefined;
  readonly weights?: StoredWeights | undefined;
  /** By default the model's own, if it is calibrated. */
  readonly calibration?: CalibrationMethod | undefined;
  /** By default the one that chose the model's own operating point. */
  readonly rule?: OperatingRule | undefined;
}

export interface Bundle {
  readonly model: string;
  readonly card: string;
  readonly facts: CardFacts;
  /** On the validation films, which chose the epoch and the operating point: too good. */
  readonly validation: Evaluation;
}

/**
 * Writes a run's model with the passes asked for. Where they change probabilities, these are read
 * anew off the run's validation films; the calibration is fitted, the operating point chosen and the
 * metrics found again. Throws `run-unfinished`, `data-changed` where a film is not there or another
 * one, `invalid-option`, `not-a-classifier` where the gate is none, `no-heat-map`, `models-unlike`, `calibration-impossible`, `interrupted`, `disk-full`.
 */
export async function exportBundle(run: RunFolder, options: BundleOptions): Promise<Bundle> {
  const file = run.file("model");
  const model = await readModelFile(file);
  const gate = options.gate === undefined ? undefined : await readModelFile(options.gate);
  const before = readMetadata(model.metadata, file);
  const method = options.calibration ?? before.calibration?.method;
  const rule = options.rule ?? ruleOf(before.operatingPoint);
  const plain = uncalibrated(model);
  const { averageWith = [] } = options;
  const mean = averageWith.length > 0 ? await averagedRuns(run, averageWith) : plain;
  const network = options.averaging ? flipAveraged(mean) : mean;
  const stored = withStoredWeights(network, options.weights ?? null);
  const said =
    stored === plain
      ? await plainValidationOf(run, before.task)
      : await validationBy(stored, run, options);
  const calibration = method ? fitCalibration(said.predictions, said.task, method) : null;
  const set = calibration ? calibratedSet(said, calibration) : said;
  const operatingPoint = operatingPointOf(set, rule);
  const validation = evaluatePredictions(set.predictions, set.task, {
    patients: set.patients,
    threshold: operatingPoint?.threshold,
  });
  const metrics = Object.fromEntries(
    Object.entries(validation.metrics).map(([key, { value }]) => [key, value]),
  );
  const judged = { operatingPoint, metrics };
  const ready = calibration ? calibrated(network, calibration, judged) : described(network, judged);
  const mapped = options.heatMap ? withHeatMap(ready, { method: options.heatMap }) : ready;
  const whole = options.hasFeatures ? withFeatures(mapped) : mapped;
  const gated = gate ? withGate(whole, gate) : whole;
  const finished = withStoredWeights(gated, options.weights ?? null);
  return written(finished, run, { out: resolve(options.out), set, validation });
}

/** What evaluation's rules say of themselves, read back. */
const RULES = [
  { words: /sensitivity \+ specificity/, kind: "youden" },
  { words: /with a sensitivity of at least ([\d.]+)/, kind: "sensitivity" },
  { words: /with a specificity of at least ([\d.]+)/, kind: "specificity" },
] as const;

function ruleOf(point: OperatingPoint | null): OperatingRule {
  // Export reads clean films only: there the rule would choose another point than it did.
  const isRepeatable = !point?.rule.endsWith(CORRUPTED);
  for (const { words, kind } of isRepeatable ? RULES : []) {
    const found = point?.rule.match(words);
    if (!found) continue;
    return kind === "youden" ? { kind } : { kind, target: Number(found[1]) };
  }
  if (!point) return { kind: "youden" };
  throw new HilumError(
    "invalid-option",
    `The operating point was chosen by "${point.rule}", which cannot be done again as it stands. Say how: --operating-point.`,
    { option: "operatingPoint", value: point.rule },
  );
}

function described(model: Model, judged: Parameters<typeof calibrated>[2]): Model {
  const metadata = { ...readMetadata(model.metadata, "the model"), ...judged };
  return { ...model, metadata: new Map([...model.metadata, ...writeMetadata(metadata)]) };
}

function written(
  model: Model,
  run: RunFolder,
  { out, set, validation }: { out: string; set: PredictionSet; validation: Evaluation },
): Bundle {
  const metadata = readMetadata(model.metadata, out);
  const csv = predictionsCsv(set);
  const facts = cardFacts(run, { model, metadata, validation: set, csv });
  const carded = new Map([...model.metadata, ...writeMetadata({ ...metadata, card: facts })]);
  const card = `${out.replace(/\.onnx$/i, "")}.card.md`;
  writeModelFile(out, { ...model, metadata: carded });
  writeFileAtomically(card, cardMarkdown(facts));
  return { model: out, card, facts, validation };
}
