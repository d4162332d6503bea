/** A report from predictions and what is known of them. */
import type { Evaluation } from "../evaluation.ts";
import { anonymous, type PredictionSet } from "../prediction-set.ts";
import type { PathOf } from "./films.ts";
import type { Report } from "./report.ts";
import { type Circumstances, warningsOf } from "./warnings.ts";

export interface ComposeOptions {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly circumstances?: Circumstances | undefined;
  readonly learningCurves?: string | undefined;
  readonly pathOf?: PathOf | undefined;
  /** False leaves out films, paths and patients. */
  readonly hasImages?: boolean | undefined;
  /** Columns that stay without images: those that name subgroups. */
  readonly columns?: readonly string[] | undefined;
}

/** Draws the samples of each class; equal reports show equal films. */
const SEED = 1;

export function reportOf(
  set: PredictionSet,
  evaluation: Evaluation,
  options: ComposeOptions,
): Report {
  const { title, facts, circumstances, learningCurves, hasImages = true, columns = [] } = options;
  return {
    title,
    facts,
    warnings: warningsOf(set, circumstances),
    set: hasImages ? set : anonymous(set, columns),
    evaluation,
    learningCurves,
    pathOf: hasImages ? options.pathOf : undefined,
    seed: SEED,
  };
}
