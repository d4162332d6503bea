/** What a run leaves behind: history, event file, learning curves, the model, the result. */
import {
  assembleClassifier,
  type ClassifierMetadata,
  type OperatingPoint,
} from "../classifier/index.ts";
import { assert } from "../errors.ts";
import {
  evaluatePredictions,
  learningCurves,
  svgToPng,
  youdenThreshold,
} from "../evaluation/index.ts";
import type { Fit, Normalization } from "../images/index.ts";
import { writeModelFile } from "../onnx/index.node.ts";
import { VERSION } from "../version.ts";
import { type EpochRecord, loadBest, type Progress } from "./checkpoint.ts";
import type { Run } from "./run.ts";
import type { RunFolder, RunResult } from "./run-folder.ts";
import { scalarEvent, versionEvent } from "./tensorboard.ts";
import { predictCached } from "./validate.ts";

/** Writes the whole history anew: a resumed run leaves no line that it did not train. */
export async function writeHistory(
  folder: RunFolder,
  history: readonly EpochRecord[],
  metric: string,
): Promise<void> {
  folder.write("history", history.map((record) => `${JSON.stringify(record)}\n`).join(""));
  folder.write("events", eventFile(history));
  folder.write("curves", await learningCurves(history, metric));
}

function eventFile(history: readonly EpochRecord[]): Uint8Array {
  const first = history[0];
  const records = history.flatMap((record) => {
    const scalars: [string, number | null][] = [
      ["loss/train", record.loss],
      ["loss/validation", record.valLoss],
      ["learning_rate", record.learningRate],
      ["images_per_second", record.imagesPerSecond],
      ...Object.entries(record.metrics).map(([key, value]): [string, number | null] => [
        `validation/${key}`,
        value,
      ]),
    ];
    return scalars.flatMap(([tag, value]) =>
      value === null ? [] : [scalarEvent(tag, value, record.epoch, record.time)],
    );
  });
  return Buffer.concat([versionEvent(first?.time ?? 0), ...records]);
}

/** Exports the best epoch's weights with an operating point chosen on validation, and closes the run. */
export async function finishRun(run: Run, progress: Progress): Promise<RunResult> {
  const { folder, settings, dataset, data } = run;
  const best = loadBest(folder);
  assert(best && progress.best, "a run that trained an epoch has best weights");
  const predictions = await predictCached(
    run.validation,
    data.validation,
    Object.fromEntries(best),
  );
  const threshold = youdenThreshold(predictions, dataset.task);
  const operatingPoint: OperatingPoint | null =
    threshold === null
      ? null
      : { threshold, rule: "largest sensitivity + specificity on validation" };
  const { metrics } = evaluatePredictions(
    predictions,
    dataset.task,
    threshold === null ? {} : { threshold },
  );
  const values = Object.fromEntries(
    Object.entries(metrics).map(([key, { value }]) => [key, value]),
  );
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
    metrics: values,
  };
  writeModelFile(folder.file("model"), assembleClassifier(run.graphs.network, best, metadata));
  folder.write(
    "curvesPicture",
    await svgToPng(await learningCurves(progress.history, settings.metric)),
  );
  const result: RunResult = {
    run: folder.path,
    model: folder.file("model"),
    bestEpoch: progress.best.epoch,
    metrics: values,
    epochs: progress.epoch,
    images: { train: data.train.count, validation: data.validation.count },
  };
  folder.write("result", `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

/** Facts about the training without paths, file names or patients: patterns may hold some, so they stay out. */
function provenanceOf(
  { settings, data, folder }: Run,
  progress: Progress,
): Record<string, unknown> {
  const { patientPattern, labelPattern, positive, threads, ...recipe } = settings;
  const patients = new Set(data.train.samples.map((sample) => sample.patient));
  return {
    hilum: VERSION,
    recipe,
    bestEpoch: progress.best?.epoch,
    epochs: progress.epoch,
    trainingImages: data.train.count,
    trainingPatients: patients.size,
    validationImages: data.validation.count,
    manifestSha256: folder.config().manifestSha256,
    selectedBy: `validation ${settings.metric}`,
  };
}
