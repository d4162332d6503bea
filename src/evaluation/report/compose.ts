/** A report from predictions and what is known of them. */
import type { Evaluation } from "../evaluation.ts";
import { anonymous, type PredictionSet } from "../prediction-set.ts";
import type { Robustness } from "../robustness/robustness.ts";
import { withNamedGroups } from "../subgroups/film-columns.ts";
import { type AnalysisOptions, analyse } from "./analysis.ts";
import type { ReportedFaithfulness } from "./faithfulness-rows.ts";
import type { PathOf } from "./films.ts";
import type { Report } from "./report.ts";
import { bandOf, shiftOf, type Validation } from "./validation.ts";
import { type Circumstances, warningsOf } from "./warnings.ts";

export interface ComposeOptions {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly circumstances?: Circumstances | undefined;
  readonly learningCurves?: string | undefined;
  readonly pathOf?: PathOf | undefined;
  /** False leaves out films, paths and patients. */
  readonly hasImages?: boolean | undefined;
  readonly analysis?: AnalysisOptions | undefined;
  /** By default nothing is known of it. */
  readonly validation?: Validation | undefined;
  /** Of the same films. */
  readonly robustness?: Robustness | undefined;
  /** Of some of them. */
  readonly faithfulness?: ReportedFaithfulness | undefined;
}

/** Draws the samples of each class; equal reports show equal films. */
const SEED = 1;

export function reportOf(
  given: PredictionSet,
  evaluation: Evaluation,
  options: ComposeOptions,
): Report {
  const { title, facts, circumstances, learningCurves, hasImages = true } = options;
  const set = withNamedGroups(given, options.analysis?.columnPatterns);
  const analysis = analyse(set, evaluation, options.analysis);
  const { validation = { unknown: "not known: predictions do not tell of validation films" } } =
    options;
  const shift = shiftOf(set, validation);
  const columns = new Set(analysis.subgroups?.groups.map(({ column }) => column));
  return {
    title,
    facts,
    warnings: [...warningsOf(set, circumstances), ...shift.warnings],
    set: hasImages ? set : anonymous(set, [...columns]),
    evaluation,
    analysis,
    shift,
    uncertainBand: bandOf(set, evaluation.threshold, validation),
    robustness: options.robustness ?? null,
    faithfulness: options.faithfulness ?? null,
    learningCurves,
    pathOf: hasImages ? options.pathOf : undefined,
    seed: SEED,
  };
}
