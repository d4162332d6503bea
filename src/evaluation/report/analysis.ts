/** What a report says besides the metrics, as data. */
import { labelsOf } from "../../datasets/index.portable.ts";
import { HilumError, nearest } from "../../errors.ts";
import { decide } from "../binary.ts";
import { binarySummary } from "../binary-summary.ts";
import { type CurveBands, curveBands } from "../curves/bands.ts";
import { type ReliabilityBin, reliabilityBins } from "../curves/reliability.ts";
import { type Evaluation, evaluatePredictions } from "../evaluation.ts";
import type { FindingOutcome } from "../figures/findings.ts";
import type { IntervalOptions } from "../intervals/settings.ts";
import { decisionCurve, type NetBenefitPoint } from "../operating-points/decision-curve.ts";
import { type PredictiveValue, predictiveValuesAt } from "../operating-points/predictive-values.ts";
import {
  confidenceAt,
  type RiskCoverage,
  riskCoverage,
} from "../operating-points/risk-coverage.ts";
import {
  columnOf,
  DEFAULT_THRESHOLD,
  type Prediction,
  positiveColumn,
  positiveOf,
} from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { type ColumnPatterns, SHAPE_COLUMNS } from "../subgroups/film-columns.ts";
import { evaluateSubgroups, SMALL_GROUP, type Subgroups } from "../subgroups/subgroups.ts";
import { classSaid } from "./said.ts";

export interface Analysis {
  /** Of the positive class; null where there is none. */
  readonly bands: CurveBands | null;
  /** Of the positive class, else of the class said; null for findings. */
  readonly reliability: readonly ReliabilityBin[] | null;
  /** Counts and calibration of each finding; null where there are classes. */
  readonly byFinding: readonly FindingOutcome[] | null;
  /** What calibration is there for, before it; null where the model has none. */
  readonly uncalibrated: Uncalibrated | null;
  readonly decisionCurve: readonly NetBenefitPoint[] | null;
  readonly riskCoverage: RiskCoverage | null;
  readonly subgroups: Subgroups | null;
  readonly atPrevalence: {
    readonly prevalence: number;
    readonly ppv: PredictiveValue;
    readonly npv: PredictiveValue;
  } | null;
}

export interface Uncalibrated {
  /** As `reliability` of the analysis. */
  readonly reliability: readonly ReliabilityBin[] | null;
  readonly metrics: Evaluation["metrics"];
}

/** Keys of the metrics that a calibration changes. */
export const CALIBRATED_METRICS = ["ece", "adaptiveEce", "brier", "logLoss"] as const;

export interface AnalysisOptions extends Omit<IntervalOptions, "patients"> {
  /** Columns that name groups; by default those that look like it. */
  readonly subgroups?: readonly string[] | undefined;
  /** Columns read from the films' paths, which name groups as well. */
  readonly columnPatterns?: ColumnPatterns | undefined;
  /** Predictive values are also said for this share of positives. */
  readonly prevalence?: number | undefined;
  /** Of the same films, before the model's calibration. */
  readonly uncalibrated?: readonly Prediction[] | null | undefined;
}

/** Throws `invalid-option` for a column that is not there and a prevalence that is no share. */
export function analyse(
  set: PredictionSet,
  evaluation: Evaluation,
  { subgroups, columnPatterns = {}, prevalence, uncalibrated, ...options }: AnalysisOptions = {},
): Analysis {
  const { task, predictions, patients } = set;
  const settings = { ...options, patients };
  const stated = subgroups && [...subgroups, ...Object.keys(columnPatterns)];
  const groups = groupColumns(set, stated);
  const of = positiveColumn(predictions, task);
  const threshold = evaluation.threshold ?? undefined;
  const said = outcomesOf(set, evaluation.threshold);
  return {
    bands: of && curveBands(of.labels, of.scores, settings),
    reliability: reliabilityOf(set, evaluation.threshold),
    uncalibrated: uncalibrated
      ? {
          reliability: reliabilityOf({ ...set, predictions: uncalibrated }, evaluation.threshold),
          metrics: calibratedMetrics(
            evaluatePredictions(uncalibrated, task, { ...settings, threshold }),
          ),
        }
      : null,
    byFinding: task.kind === "findings" ? findingOutcomes(set, evaluation.threshold) : null,
    decisionCurve: of && decisionCurve(of.labels, of.scores, { prevalence }),
    riskCoverage: said && coverageOf(said),
    subgroups:
      Object.keys(groups).length === 0
        ? null
        : evaluateSubgroups(predictions, task, groups, { ...settings, threshold }),
    atPrevalence: prevalence === undefined ? null : valuesAt(evaluation, task, prevalence),
  };
}

function reliabilityOf(set: PredictionSet, threshold: number | null): ReliabilityBin[] | null {
  const of = positiveColumn(set.predictions, set.task);
  if (of) return reliabilityBins(of.labels, of.scores);
  const said = outcomesOf(set, threshold);
  return said && reliabilityBins(said.rights, said.probabilities);
}

const calibratedMetrics = ({ metrics }: Evaluation): Evaluation["metrics"] =>
  Object.fromEntries(
    CALIBRATED_METRICS.flatMap((key) => (metrics[key] ? [[key, metrics[key]]] : [])),
  );

/** Over the films of which a finding is known. */
function findingOutcomes(
  { task, predictions }: PredictionSet,
  threshold: number | null,
): FindingOutcome[] {
  return labelsOf(task).map((finding, column) => {
    const known = columnOf(
      predictions.filter(({ target }) => target[column] !== null),
      column,
    );
    const decided = decide({ ...known, threshold: threshold ?? DEFAULT_THRESHOLD });
    const { truePositives, falseNegatives, falsePositives, trueNegatives } = binarySummary(decided);
    return {
      finding,
      counts: { truePositives, falseNegatives, falsePositives, trueNegatives },
      reliability: reliabilityBins(known.labels as number[], known.scores),
    };
  });
}

/** A point for each film would make megabytes of 200,000 of them. */
const MOST_POINTS = 500;

function coverageOf({
  rights,
  confidences,
}: NonNullable<ReturnType<typeof outcomesOf>>): RiskCoverage {
  const { points, area } = riskCoverage(
    rights.map((right) => 1 - right),
    confidences,
  );
  const step = Math.ceil(points.length / MOST_POINTS);
  const last = points.length - 1;
  return { area, points: points.filter((_, place) => place % step === 0 || place === last) };
}

/** Of each film whether it is read rightly, and how sure the model was of what it said. */
function outcomesOf(set: PredictionSet, threshold: number | null) {
  if (set.task.kind === "findings") return null;
  const positive = positiveOf(set.task);
  const said = set.keys.map((_, index) => classSaid(set, index, threshold));
  const probabilities = said.map((label, index) => set.predictions[index]!.probabilities[label]!);
  return {
    rights: said.map((label, index) => Number(set.predictions[index]!.target[label] === 1)),
    probabilities,
    confidences:
      positive === null
        ? probabilities
        : set.predictions.map((prediction) =>
            confidenceAt(prediction.probabilities[positive]!, threshold ?? DEFAULT_THRESHOLD),
          ),
  };
}

/** More groups than this say little each. */
const MOST_GROUPS = 8;
/** What tells data and files apart, not patients. */
const NO_GROUPS = new Set(["sha256", "split"]);

/** A film's shape is cut into thirds, of which none shall be small. */
const FEWEST_FOR_SHAPES = 3 * SMALL_GROUP;

function groupColumns(
  { columns, keys }: PredictionSet,
  wanted: readonly string[] | undefined,
): Record<string, readonly string[]> {
  if (wanted) return Object.fromEntries(wanted.map((name) => [name, columnNamed(columns, name)]));
  return Object.fromEntries(
    Object.entries(columns).filter(([name, values]) => {
      const distinct = new Set(values.filter((value) => value !== "")).size;
      if (NO_GROUPS.has(name) || distinct < 2) return false;
      return SHAPE_COLUMNS.includes(name)
        ? keys.length >= FEWEST_FOR_SHAPES
        : distinct <= MOST_GROUPS;
    }),
  );
}

function columnNamed(columns: PredictionSet["columns"], name: string): readonly string[] {
  const values = columns[name];
  if (values) return values;
  const names = Object.keys(columns);
  const suggestion = nearest(name, names);
  throw new HilumError(
    "invalid-option",
    `There is no column "${name}" for subgroups.${suggestion ? ` Did you mean "${suggestion}"?` : ""} ${names.length === 0 ? "The data have no further columns." : `There are: ${names.join(", ")}.`}`,
    { option: "subgroup", value: name, allowed: names },
  );
}

function valuesAt(
  { confusion }: Evaluation,
  task: PredictionSet["task"],
  prevalence: number,
): Analysis["atPrevalence"] {
  const positive = positiveOf(task);
  if (positive === null || !confusion) return null;
  const negative = 1 - positive;
  const { matrix } = confusion;
  const values = predictiveValuesAt(
    {
      truePositives: matrix[positive]![positive]!,
      falseNegatives: matrix[positive]![negative]!,
      falsePositives: matrix[negative]![positive]!,
      trueNegatives: matrix[negative]![negative]!,
    },
    prevalence,
  );
  return values && { prevalence, ...values };
}
