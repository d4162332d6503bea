/** What a finished run leaves behind: the model, its curves as a picture, the result. */
import {
  assembleClassifier,
  type ClassifierMetadata,
  type OperatingPoint,
} from "../classifier/index.ts";
import { numbered, type Task } from "../datasets/index.ts";
import { assert } from "../errors.ts";
import {
  evaluatePredictions,
  type Prediction,
  predictionSetOf,
  predictionsCsv,
  youdenThreshold,
} from "../evaluation/index.ts";
import type { Fit, Normalization } from "../images/index.ts";
import { writeModelFile } from "../onnx/index.node.ts";
import { VERSION } from "../version.ts";
import { loadBest, type Progress } from "./checkpoint.ts";
import { writeCurvesPicture } from "./history.ts";
import type { Run } from "./run.ts";
import type { RunResult } from "./run-folder.ts";
import { predictCached } from "./validate.ts";
import { writeValidationFeatures } from "./validation-features.ts";

/** Exports the best epoch's weights with an operating point chosen on validation, and closes the run. */
export async function finishRun(run: Run, progress: Progress): Promise<RunResult> {
  const { folder, settings, dataset, data } = run;
  assert(progress.best, "a run that trained an epoch has a best one");
  const best = loadBest(folder);
  const weights = Object.fromEntries(best);
  const predictions = await predictCached(run.validation, data.validation, weights, {});
  assert(predictions, "nothing stops the last validation");
  const { operatingPoint, metrics } = judge(predictions, dataset.task);
  const metadata: ClassifierMetadata = {
    task: dataset.task,
    input: {
      size: settings.size,
      fit: settings.fit as Fit,
      normalization: settings.normalization as Normalization,
      window: settings.window,
    },
    operatingPoint,
    provenance: provenanceOf(run, progress),
    metrics,
  };
  const model = assembleClassifier(run.graphs.network, best, metadata);
  writeModelFile(folder.file("model"), model);
  folder.write(
    "validation",
    predictionsCsv(predictionSetOf(data.validation.samples, predictions, dataset.task)),
  );
  await writeValidationFeatures(folder, model, data.validation);
  const histories = { head: run.head?.history, epochs: progress.history };
  await writeCurvesPicture(folder, histories, settings.metric);
  const result = {
    bestEpoch: progress.best.epoch,
    metrics,
    epochs: progress.epoch,
    images: { train: data.train.count, validation: data.validation.count },
  };
  // Last, for it says that the run is finished.
  folder.write("result", `${JSON.stringify(result, null, 2)}\n`);
  return folder.result();
}

function judge(
  predictions: readonly Prediction[],
  task: Task,
): { operatingPoint: OperatingPoint | null; metrics: Record<string, number | null> } {
  const threshold = youdenThreshold(predictions, task);
  const { metrics } = evaluatePredictions(predictions, task, {
    threshold: threshold ?? undefined,
    rounds: 0,
  });
  return {
    operatingPoint:
      threshold === null
        ? null
        : { threshold, rule: "largest sensitivity + specificity on validation" },
    metrics: Object.fromEntries(Object.entries(metrics).map(([key, { value }]) => [key, value])),
  };
}

/** Facts about the training without paths, file names or patients: patterns may hold some, so they stay out. */
function provenanceOf(
  { settings, data, folder }: Run,
  progress: Progress,
): Record<string, unknown> {
  const { patientPattern, labelPattern, positive, threads, ...recipe } = settings;
  const { samples } = data.train;
  const patients = numbered(samples.length, (place) => samples.at(place)!.patient);
  return {
    hilum: VERSION,
    recipe,
    bestEpoch: progress.best?.epoch,
    epochs: progress.epoch,
    trainingImages: data.train.count,
    trainingPatients: patients.firsts.length,
    validationImages: data.validation.count,
    validationLeaks: data.leaks.map(({ code }) => code),
    manifestSha256: folder.config().manifestSha256,
    selectedBy: `validation ${settings.metric}`,
  };
}
