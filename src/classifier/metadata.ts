/** What a classifier's file says about itself, in the model's metadata. */

import type { Task } from "../datasets/index.portable.ts";
import { HilumError } from "../errors.ts";
import type { Fit, Normalization } from "../images/index.portable.ts";
import type { WindowSetting } from "../images/index.ts";
import type { StoredWeights } from "../models/index.ts";
import type { Model } from "../onnx/index.ts";
import type { Calibration } from "./calibration.ts";

export const NOTICE =
  "Not for clinical use. A research prototype: it helps a physician decide, it never decides.";
const FORMAT = "1";

/** Where a probability becomes a positive: at or above the threshold. */
export interface OperatingPoint {
  readonly threshold: number;
  /** How it was chosen, and on what. */
  readonly rule: string;
}

export interface ClassifierInput {
  readonly size: number;
  readonly fit: Fit;
  readonly normalization: Normalization;
  /** For films of 16 bits; null means percentiles of each film. */
  readonly window: WindowSetting | null;
  /** "flip": the logits are the means of those of the film and of its mirror. */
  readonly averaging?: "flip" | undefined;
}

export const HEAT_MAP_METHODS = ["grad-cam", "grad-cam++", "layer-cam"] as const;
export type HeatMapMethod = (typeof HEAT_MAP_METHODS)[number];

/** The output `heatmap` of the graph. */
export interface HeatMapInfo {
  readonly method: HeatMapMethod;
  /** The label that it speaks for; null: of each film the most probable. */
  readonly class: string | null;
  readonly height: number;
  readonly width: number;
}

export interface ClassifierMetadata {
  readonly task: Task;
  readonly input: ClassifierInput;
  readonly operatingPoint: OperatingPoint | null;
  /** How it was trained: plain facts, no paths, names or patients. */
  readonly provenance: Readonly<Record<string, unknown>>;
  /** Validation metrics, value by key. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** What the graph does to the network's probabilities; null or absent: nothing. */
  readonly calibration?: Calibration | null;
  /** Values of the output `features`, where there is one. */
  readonly features?: { readonly width: number } | undefined;
  /** How the file holds the weights; absent: as float32. */
  readonly weights?: StoredWeights | undefined;
  /** Absent where the graph has no heat map. */
  readonly heatmap?: HeatMapInfo | undefined;
  /** The facts of its model card, where one was made. */
  readonly card?: object | undefined;
}

const KEYS = ["task", "input", "operatingPoint", "provenance", "metrics"] as const;
const FURTHER_KEYS = ["calibration", "features", "heatmap", "weights", "card"] as const;

export function writeMetadata(metadata: ClassifierMetadata): Map<string, string> {
  const further = FURTHER_KEYS.filter((key) => metadata[key] !== undefined);
  const entries = [...KEYS, ...further].map((key): [string, string] => [
    `hilum.${key}`,
    JSON.stringify(metadata[key]),
  ]);
  return new Map([["hilum.format", FORMAT], ["hilum.notice", NOTICE], ...entries]);
}

/** Whether Hilum wrote the model, in whatever format. */
export const isOurs = ({ metadata }: Pick<Model, "metadata">): boolean =>
  metadata.has("hilum.format");

/** Throws `not-a-classifier` when the metadata are missing or of another format. */
export function readMetadata(
  metadata: ReadonlyMap<string, string>,
  name: string,
): ClassifierMetadata {
  const format = metadata.get("hilum.format");
  if (format !== FORMAT)
    throw new HilumError(
      "not-a-classifier",
      format === undefined
        ? `${name} is an ONNX model, but not a classifier that Hilum wrote: it has no hilum metadata. Train one with: hilum train DIR --out runs/NAME`
        : `${name} has classifier format ${format}; this version reads ${FORMAT}. Update hilum.`,
      { file: name, format },
    );
  const parse = (key: string): unknown => {
    try {
      return JSON.parse(metadata.get(`hilum.${key}`) ?? "");
    } catch (cause) {
      throw new HilumError(
        "not-a-classifier",
        `${name}: its metadata "hilum.${key}" are damaged. Export or train the model again.`,
        { file: name, key },
        cause,
      );
    }
  };
  const further = FURTHER_KEYS.filter((key) => metadata.has(`hilum.${key}`));
  return Object.fromEntries(
    [...KEYS, ...further].map((key) => [key, parse(key)]),
  ) as unknown as ClassifierMetadata;
}
