/** A run's model calibrated on its validation films, with an operating point chosen on them. */
import { dirname } from "node:path";
import {
  type Calibration,
  type CalibrationMethod,
  calibrated,
  type OperatingPoint,
  readMetadata,
} from "../classifier/index.ts";
import {
  chooseOperatingPoint,
  drawFigures,
  type Evaluation,
  evaluatePredictions,
  fitCalibration,
  type OperatingRule,
  type PredictionSet,
  positiveColumn,
  reliabilityBins,
  reliabilityFigure,
  writeFigures,
} from "../evaluation/index.ts";
import { readModelFile, writeModelFile } from "../onnx/index.node.ts";
import type { ReadValidationOptions } from "./read-validation.ts";
import type { RunFolder } from "./run-folder.ts";
import { calibratedSet, plainValidationOf } from "./run-validation.ts";
import { shiftedValidationOf } from "./shifted-validation.ts";

export interface CalibrateOptions {
  readonly method?: CalibrationMethod | undefined;
  /** How the operating point is chosen; Youden's where nothing is said. */
  readonly rule?: OperatingRule | undefined;
  /** Fits both to a mixture of the clean and of mildly corrupted validation films, which have to be there. */
  readonly corrupted?: ReadValidationOptions | undefined;
  /** File of the calibrated model; by default the run's own is replaced. */
  readonly out?: string | undefined;
}

export interface CalibrateResult {
  readonly model: string;
  readonly calibration: Calibration;
  readonly operatingPoint: OperatingPoint | null;
  /** On the validation films, of the network as it is, with the operating point that it had. */
  readonly before: Evaluation;
  /** On the same films, which both were fitted to: too good. */
  readonly after: Evaluation;
  /** On the clean and the corrupted films together, where they were fitted to these. */
  readonly corrupted?: Evaluation;
}

/**
 * Fits a calibration and an operating point, writes the model with both, and a picture of before and
 * after beside it. Throws `calibration-impossible`, `invalid-option`, `run-unfinished`, `disk-full`.
 */
export async function calibrateRun(
  run: RunFolder,
  {
    method = "temperature",
    rule = { kind: "youden" },
    corrupted,
    out = run.file("model"),
  }: CalibrateOptions = {},
): Promise<CalibrateResult> {
  const file = run.file("model");
  const model = await readModelFile(file);
  const { task, ...metadata } = readMetadata(model.metadata, file);
  const shifted = corrupted && (await shiftedValidationOf(run, model, corrupted));
  const plain = shifted?.clean ?? (await plainValidationOf(run, task));
  const fitted = shifted?.mixture ?? plain;
  const calibration = fitCalibration(fitted.predictions, task, method);
  const set = calibratedSet(plain, calibration);
  const evaluated = ({ predictions, patients }: PredictionSet, threshold: number | undefined) =>
    evaluatePredictions(predictions, task, { patients, threshold });
  const operatingPoint = operatingPointOf(
    calibratedSet(fitted, calibration),
    rule,
    shifted ? CORRUPTED : "",
  );
  const after = evaluated(set, operatingPoint?.threshold);
  const metrics = Object.fromEntries(
    Object.entries(after.metrics).map(([key, { value }]) => [key, value]),
  );
  const written = calibrated(model, calibration, { operatingPoint, metrics });
  // A card of the model as it was is wrong from now on.
  const described = [...written.metadata].filter(([key]) => key !== "hilum.card");
  const earlier = metadata.calibration ? undefined : metadata.operatingPoint?.threshold;
  const before = evaluated(plain, earlier);
  await drawBeforeAndAfter(dirname(out), plain, set);
  writeModelFile(out, { ...written, metadata: new Map(described) });
  const mixed = shifted && calibratedSet(fitted, calibration);
  return {
    ...{ model: out, calibration, operatingPoint, before, after },
    ...(mixed ? { corrupted: evaluated(mixed, operatingPoint?.threshold) } : {}),
  };
}

/** Ends the rule of an operating point that was chosen on films clean and corrupted. */
export const CORRUPTED = ", on validation films clean and corrupted";

/** Null where there is no positive class, or one class only. */
export function operatingPointOf(
  { task, predictions }: PredictionSet,
  rule: OperatingRule,
  where = "",
): OperatingPoint | null {
  const of = positiveColumn(predictions, task);
  const chosen = of && chooseOperatingPoint(of.labels, of.scores, rule);
  return chosen && { threshold: chosen.threshold, rule: `${chosen.rule}${where}` };
}

async function drawBeforeAndAfter(
  folder: string,
  plain: PredictionSet,
  set: PredictionSet,
): Promise<void> {
  const [before, after] = [plain, set].map(({ predictions, task }) => {
    const of = positiveColumn(predictions, task);
    return of && reliabilityBins(of.labels, of.scores);
  });
  if (!before || !after) return;
  const figure = reliabilityFigure(
    [
      { name: "before", bins: before },
      { name: "after", bins: after },
    ],
    { name: "calibration", title: "Calibration on the validation films" },
  );
  await writeFigures(folder, await drawFigures([figure]));
}
