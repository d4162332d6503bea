/** What an evaluation on other films adds to a model card, from the metrics.json that it wrote. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { HilumError } from "../../errors.ts";
import {
  type Analysis,
  type Evaluation,
  REPORT_FILES,
  type Robustness,
} from "../../evaluation/index.ts";
import type { EvaluatedData } from "../report-model.ts";
import { type CardEvaluation, type CardSubgroup, cardSubgroups } from "./facts.ts";

/** Of films that the run did not choose by. */
export interface CardResults extends CardEvaluation {
  readonly data: EvaluatedData;
  readonly subgroups: readonly CardSubgroup[];
  readonly worstSubgroup: string | null;
  /** Calibration errors and the like before the model's own calibration; null where it has none. */
  readonly uncalibrated: Evaluation["metrics"] | null;
  readonly robustness: CardRobustness | null;
  readonly warnings: readonly string[];
}

/** Of spoilt films: those unspoilt, and the corruption that does most harm. */
export interface CardRobustness {
  readonly films: number;
  readonly clean: Robustness["clean"];
  readonly worst: Robustness["clean"] | null;
}

/** The parts of metrics.json that a card holds. */
type WrittenMetrics = Pick<Evaluation, "n" | "patients" | "threshold" | "metrics" | "perClass"> &
  Pick<Analysis, "subgroups" | "uncalibrated"> & {
    readonly weights: string;
    readonly data: EvaluatedData;
    readonly robustness: Robustness | null;
    readonly warnings: readonly string[];
  };

/**
 * The results in a metrics.json, or in the folder of an evaluation. Throws `file-not-found`, and
 * `evaluation-unfit` where the file is none, is of predictions, or of another model than that of these
 * weights.
 */
export function cardResults(path: string, weights: string): CardResults {
  const written = writtenMetrics(path);
  if (written.weights === undefined)
    unfit(path, "it is of a file of predictions, which does not say by which model");
  if (written.weights !== weights)
    unfit(path, "it is of another model, or of this one before it was calibrated or exported");
  const { n, patients, threshold, metrics, perClass, data, robustness, warnings } = written;
  return {
    ...{ n, patients, threshold, metrics, data, warnings },
    ...(perClass ? { perClass } : {}),
    ...cardSubgroups(written.subgroups),
    uncalibrated: written.uncalibrated?.metrics ?? null,
    robustness: robustness && robustnessOf(robustness),
  };
}

function writtenMetrics(path: string): WrittenMetrics {
  const info = statSync(path, { throwIfNoEntry: false });
  const file = info?.isDirectory() ? join(path, REPORT_FILES.metrics) : path;
  if (!statSync(file, { throwIfNoEntry: false }))
    throw new HilumError(
      "file-not-found",
      `There is no evaluation ${file}. Make one with: hilum evaluate RUN --data DIR --out ${path}`,
      { path: file },
    );
  const written = parsed(file) as Partial<WrittenMetrics> | null;
  if (typeof written?.n !== "number" || typeof written.metrics !== "object")
    return unfit(path, "it is no metrics.json that hilum evaluate wrote");
  return written as WrittenMetrics;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

function robustnessOf({ films, clean, corruptions }: Robustness): CardRobustness {
  const key = clean.auroc === null ? "balancedAccuracy" : "auroc";
  const defined = corruptions.filter((result) => result[key] !== null);
  const worst = defined.toSorted((a, b) => a[key]! - b[key]!)[0];
  return { films, clean, worst: worst ?? null };
}

function unfit(path: string, why: string): never {
  throw new HilumError(
    "evaluation-unfit",
    `The evaluation ${path} does not belong on this card: ${why}. Evaluate the run's model again with: hilum evaluate RUN --data DIR`,
    { path, why },
  );
}
