/** A report: predictions, their evaluation and what else was found, as data and as figures. */
import { labelsOf } from "../../datasets/index.portable.ts";
import type { ReliabilityBin } from "../curves/reliability.ts";
import type { Evaluation } from "../evaluation.ts";
import { confusionFigure } from "../figures/confusion.ts";
import { decisionCurveFigure, riskCoverageFigure } from "../figures/decision.ts";
import { faithfulnessFigures } from "../figures/faithfulness.ts";
import { type Figure, shown } from "../figures/figure.ts";
import { findingsConfusionFigure, findingsReliabilityFigure } from "../figures/findings.ts";
import { corruptionFigure, forestFigure } from "../figures/forest.ts";
import { histogramFigure } from "../figures/histogram.ts";
import { reliabilityFigure } from "../figures/reliability.ts";
import { precisionRecallFigure, rocFigure, type Scored } from "../figures/roc.ts";
import { columnOf, positiveOf } from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";
import type { Robustness } from "../robustness/robustness.ts";
import type { Subgroups } from "../subgroups/subgroups.ts";
import type { Analysis } from "./analysis.ts";
import type { ReportedFaithfulness } from "./faithfulness-rows.ts";
import type { PathOf } from "./films.ts";
import { metricTitle, subgroupRemarks } from "./metric-rows.ts";
import type { ReportedBand, ReportedShift } from "./validation.ts";

export interface Report {
  readonly title: string;
  /** What was evaluated, on what and how, for a table: no file names where they are to stay out. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What a reader has to know before the numbers. */
  readonly warnings: readonly string[];
  readonly set: PredictionSet;
  readonly evaluation: Evaluation;
  readonly analysis: Analysis;
  readonly shift: ReportedShift;
  readonly uncertainBand: ReportedBand | null;
  /** Null where it was not asked for. */
  readonly robustness: Robustness | null;
  /** Null where it was not asked for. */
  readonly faithfulness: ReportedFaithfulness | null;
  /** SVG of the learning curves, where the run has them. */
  readonly learningCurves?: string | undefined;
  /** Without it no film is shown. */
  readonly pathOf?: PathOf | undefined;
  readonly seed: number;
}

/** The figures that the predictions allow, in the order of the page. */
export function figuresOf(report: Report): Figure[] {
  const { set, evaluation, analysis, robustness, faithfulness } = report;
  const scored = scoredOf(set, evaluation, analysis);
  const { reliability, byFinding, decisionCurve, riskCoverage, subgroups } = analysis;
  const prevalence = analysis.atPrevalence?.prevalence;
  const name = set.task.kind === "classes" ? "model" : "";
  const { confusion } = evaluation;
  const positive = positiveOf(set.task);
  return [
    ...(scored.length > 0 ? [rocFigure(scored), precisionRecallFigure(scored)] : []),
    ...(confusion ? [confusionFigure(confusion)] : []),
    ...(reliability ? [calibrationFigure(reliability, name, report)] : []),
    ...(byFinding
      ? [findingsConfusionFigure(byFinding), findingsReliabilityFigure(byFinding)]
      : []),
    ...(positive === null ? [] : [scoreHistogram(set, positive, evaluation.threshold)]),
    ...(decisionCurve?.length
      ? [decisionCurveFigure([{ name, points: decisionCurve }], { prevalence })]
      : []),
    ...(riskCoverage ? [riskCoverageFigure([{ name, points: riskCoverage.points }])] : []),
    ...(subgroups ? [subgroupFigure(subgroups, evaluation)] : []),
    ...(robustness ? [corruptionFigure(robustness)] : []),
    ...(faithfulness && "methods" in faithfulness ? faithfulnessFigures(faithfulness) : []),
  ];
}

/** Where the model calibrates, before and after. */
function calibrationFigure(
  bins: readonly ReliabilityBin[],
  name: string,
  { evaluation, analysis }: Report,
): Figure {
  const before = analysis.uncalibrated;
  if (!before?.reliability) return reliabilityFigure([{ name, bins }]);
  const [was, is] = [before.metrics.ece, evaluation.metrics.ece];
  const figure = reliabilityFigure(
    [
      { name: "before calibration", bins: before.reliability },
      { name: "after calibration", bins },
    ],
    { seriesTitle: "probabilities" },
  );
  const remark = `Expected calibration error ${shown(was?.value ?? null)} before the model's calibration, ${shown(is?.value ?? null)} after.`;
  return { ...figure, caption: `${remark} ${figure.caption}` };
}

/** One curve for the positive class, or one for each class or finding against the rest. */
function scoredOf(
  { task, predictions }: PredictionSet,
  evaluation: Evaluation,
  { bands }: Analysis,
): Scored[] {
  const positive = positiveOf(task);
  const columns = positive === null ? labelsOf(task).map((_, index) => index) : [positive];
  return columns.map((column): Scored => {
    const name = labelsOf(task)[column]!;
    const known = predictions.filter(({ target }) => target[column] !== null);
    const metrics = positive === null ? evaluation.perClass![name]! : evaluation.metrics;
    return {
      name,
      ...columnOf(known, column),
      threshold: evaluation.threshold,
      auroc: metrics.auroc,
      averagePrecision: metrics.averagePrecision,
      ...(bands?.roc.length ? { rocBand: bands.roc, precisionBand: bands.precisionRecall } : {}),
    };
  });
}

function scoreHistogram(
  { task, predictions }: PredictionSet,
  positive: number,
  threshold: number | null,
): Figure {
  const labels = labelsOf(task);
  const classes = [1 - positive, positive].map((index) => ({
    name: labels[index]!,
    scores: predictions
      .filter(({ target }) => target[index] === 1)
      .map(({ probabilities }) => probabilities[positive]!),
  }));
  return histogramFigure(classes, { positive: labels[positive]!, threshold });
}

function subgroupFigure(subgroups: Subgroups, evaluation: Evaluation): Figure {
  const { groups, columns, worst } = subgroups;
  const panels = columns.map(({ column, metric }) => ({
    column,
    metric: metricTitle(metric),
    all: evaluation.metrics[metric]?.value ?? null,
    rows: groups
      .filter((group) => group.column === column)
      .map((group) => {
        const { value, low, high, reason } = group.evaluation.metrics[metric]!;
        const { group: name, n } = group;
        return { group: name, n, value, low, high, reason, isWorst: group === worst };
      }),
  }));
  return forestFigure(panels, subgroupRemarks(subgroups));
}
