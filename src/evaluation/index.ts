/** Metrics, operating points, plots and pages. */
export { BINARY_METRICS, type BinaryCase, binaryMetrics, type MetricEntry } from "./binary.ts";
export {
  type DatasetEvaluation,
  type EvaluateDatasetOptions,
  evaluate,
} from "./evaluate.ts";
export {
  type EvaluateOptions,
  type Evaluation,
  evaluatePredictions,
  type Prediction,
} from "./evaluation.ts";
export type { IntervalOptions, IntervalSettings } from "./intervals/settings.ts";
export { type CurvePoint, learningCurves } from "./learning-curves.ts";
export type { IntervalMethod, MetricValue } from "./metric-values.ts";
export { type PlotSpec, plotSvg, svgToPng } from "./plot.ts";
export { areaUnderRoc, averagePrecision, type RankPoint, rankPoints } from "./ranking.ts";
export { rocPlot } from "./roc-plot.ts";
export { isBetter, SELECTION_METRICS, selectionDirection, youdenThreshold } from "./selection.ts";
