/** A run's validation films, read clean and as another archive might have made them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readMetadata, uncalibrated } from "../classifier/index.ts";
import { labelsOf } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import { type PredictionSet, readShiftMixture } from "../evaluation/index.ts";
import type { Model } from "../onnx/index.ts";
import { withClassifier } from "./classifier-of.ts";
import type { ReadValidationOptions } from "./read-validation.ts";
import type { RunFolder } from "./run-folder.ts";

export interface ShiftedValidation {
  readonly clean: PredictionSet;
  /** Each film in every part of the mixture, the clean one among them. */
  readonly mixture: PredictionSet;
}

interface ManifestLine {
  readonly path: string;
  readonly split: string;
  readonly patient: string;
  readonly label?: string;
  readonly findings?: Readonly<Record<string, 0 | 1 | null>>;
}

/**
 * By the network itself, without its calibration. Throws `file-not-found` where the films are no
 * longer there, and what reading one throws.
 */
export async function shiftedValidationOf(
  run: RunFolder,
  model: Model,
  { data = run.config().data, signal, onProgress }: ReadValidationOptions = {},
): Promise<ShiftedValidation> {
  const { task } = readMetadata(model.metadata, run.file("model"));
  const names = labelsOf(task);
  const lines = run.lines<ManifestLine>("manifest").filter(({ split }) => split === "val");
  const films = lines.map(({ path, label, findings }) => ({
    path: filmAt(data, path),
    target: names.map((name) => (findings ? (findings[name] ?? null) : name === label ? 1 : 0)),
  }));
  const { seed } = run.config().settings;
  const parts = await withClassifier(
    uncalibrated(model),
    (classifier) => readShiftMixture(classifier, films, { seed, signal, onProgress }),
    { threads: 1 },
  );
  const setOf = (chosen: typeof parts): PredictionSet => ({
    task,
    keys: chosen.flatMap(({ corruption, severity }) =>
      lines.map(({ path }) => (severity === 0 ? path : `${path} (${corruption} ${severity})`)),
    ),
    patients: chosen.flatMap(() => lines.map(({ patient }) => patient)),
    predictions: chosen.flatMap(({ predictions }) => predictions),
    columns: {},
  });
  return { clean: setOf(parts.slice(0, 1)), mixture: setOf(parts) };
}

function filmAt(data: string, key: string): string {
  const path = join(data, key);
  if (existsSync(path)) return path;
  throw new HilumError(
    "file-not-found",
    `${path}, a validation film of the run, is not there. Say by --data where the films lie now.`,
    { path },
  );
}
