/** What MLflow is told of a run. Nothing that names a file, a folder or a patient is among it. */
import { NOTICE } from "../../classifier/index.ts";
import { VERSION } from "../../version.ts";
import type { EpochRecord } from "../checkpoint.ts";
import type { Settings } from "../options.ts";
import type { RunConfig, RunFolder, RunResult } from "../run-folder.ts";

export interface Entry {
  readonly key: string;
  readonly value: string;
}

export interface Metric {
  readonly key: string;
  readonly value: number;
  /** In milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** Patterns on file names tell of file names. */
const UNTOLD: readonly (keyof Settings)[] = ["patientPattern", "labelPattern"];

export function paramsOf({ settings }: RunConfig): Entry[] {
  return Object.entries({ ...settings, model: modelName(settings) })
    .filter(([key, value]) => value !== null && !UNTOLD.includes(key as keyof Settings))
    .map(([key, value]) => ({
      key,
      value: typeof value === "string" ? value : JSON.stringify(value),
    }))
    .filter(({ value }) => value !== "");
}

export function tagsOf({ hilum, manifestSha256 }: RunConfig): Entry[] {
  return [
    { key: "hilum.version", value: hilum },
    { key: "hilum.notice", value: NOTICE },
    { key: "hilum.data", value: manifestSha256 },
    { key: "mlflow.note.content", value: `${NOTICE} Trained by Hilum ${VERSION}.` },
  ];
}

export function nameOf({ settings }: RunConfig): string {
  const fold = settings.fold === null ? "" : ` fold ${settings.fold} of ${settings.folds}`;
  return `${modelName(settings)} seed ${settings.seed}${fold}`;
}

/** What a run is called and said to be when it is made. */
export interface Identity {
  readonly name: string;
  readonly tags: readonly Entry[];
  readonly params: readonly Entry[];
}

export const identityOf = (config: RunConfig): Identity => ({
  name: nameOf(config),
  tags: tagsOf(config),
  params: paramsOf(config),
});

/** Of a sweep, told by a run of one of its trials. */
export function sweepIdentity(trial: RunFolder): Identity {
  const config = trial.config();
  const { metric, folds } = config.settings;
  return {
    name: `sweep of ${modelName(config.settings)} seed ${config.settings.seed}`,
    tags: tagsOf(config).filter(({ key }) => key !== "hilum.data"),
    params: Object.entries({ model: modelName(config.settings), metric, folds })
      .filter(([, value]) => value !== null)
      .map(([key, value]) => ({ key, value: String(value) })),
  };
}

/** The user's own ONNX file is named by its digest alone. */
function modelName({ model }: Settings): string {
  return /\.onnx$/i.test(model) ? "own-onnx-file" : model;
}

/** An epoch of the whole network, or with a prefix of a pretrained backbone's head. */
export function metricsOfEpoch(record: EpochRecord, prefix = ""): Metric[] {
  const { epoch, time, loss, valLoss, learningRate, imagesPerSecond, metrics } = record;
  const values = {
    "loss/train": loss,
    "loss/validation": valLoss,
    learning_rate: learningRate,
    images_per_second: imagesPerSecond,
    ...below("validation", metrics),
  };
  return metricsOf(values, { step: epoch, timestamp: Math.round(time * 1000) }, prefix);
}

/** The best epoch's, as the run's result has them. */
export function metricsOfResult({ bestEpoch, metrics }: RunResult, timestamp: number): Metric[] {
  return metricsOf(below("best", metrics), { step: bestEpoch, timestamp });
}

type Values = Readonly<Record<string, number | null>>;

function below(folder: string, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [`${folder}/${key}`, value]),
  );
}

/** MLflow takes finite numbers, and few characters in a name. */
export function metricsOf(
  values: Values,
  at: { readonly step: number; readonly timestamp: number },
  prefix = "",
): Metric[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value !== null && Number.isFinite(value)
      ? [{ key: (prefix + key).replace(/[^\w\-. /]/g, "_"), value, ...at }]
      : [],
  );
}
