/** Metrics, operating points, plots and pages. */
export { BINARY_METRICS, type BinaryCase, binaryMetrics, type MetricEntry } from "./binary.ts";
export { CALIBRATION_METHODS, fitCalibration } from "./calibration/fit.ts";
export {
  type ComparedModel,
  compareModels,
  type MetricDifference,
  type ModelPair,
  type PairedTest,
} from "./comparison/compare.ts";
export { type AreaDifference, delongTest } from "./comparison/delong-test.ts";
export { holm } from "./comparison/holm.ts";
export { type McNemar, mcnemar } from "./comparison/mcnemar.ts";
export { type BandPoint, type CurveBands, curveBands } from "./curves/bands.ts";
export { type ReliabilityBin, reliabilityBins } from "./curves/reliability.ts";
export {
  chosenSamples,
  type DatasetEvaluation,
  type EvaluateDatasetOptions,
  evaluate,
} from "./evaluate.ts";
export {
  type EvaluateOptions,
  type Evaluation,
  evaluatePredictions,
} from "./evaluation.ts";
export { estimateFaithfulness } from "./faithfulness/estimate.ts";
export { type ExplainedFilms, explainedFilms } from "./faithfulness/explained-films.ts";
export {
  type FaithfulFilm,
  type Faithfulness,
  type FaithfulnessOptions,
  faithfulness,
  faithfulnessOf,
  type MapMaker,
} from "./faithfulness/faithfulness.ts";
export type { Mapper } from "./faithfulness/film-record.ts";
export type { MethodFaithfulness } from "./faithfulness/summary.ts";
export { FINDING_HEAD, type FindingOutcome, findingRows } from "./figures/findings.ts";
export type { LearningHistory } from "./figures/learning.ts";
export { reliabilityFigure } from "./figures/reliability.ts";
export { rocFigure } from "./figures/roc.ts";
export type { IntervalOptions, IntervalSettings } from "./intervals/settings.ts";
export { wilsonInterval } from "./intervals/wilson.ts";
export { type CurvePoint, learningCurves } from "./learning-curves.ts";
export type { IntervalMethod, MetricValue } from "./metric-values.ts";
export {
  type ChosenPoint,
  chooseOperatingPoint,
  type OperatingRule,
} from "./operating-points/choose.ts";
export { decisionCurve, type NetBenefitPoint } from "./operating-points/decision-curve.ts";
export { type PredictiveValue, predictiveValuesAt } from "./operating-points/predictive-values.ts";
export {
  type RiskCoverage,
  type RiskCoveragePoint,
  riskCoverage,
  type UncertainBand,
  uncertainBand,
} from "./operating-points/risk-coverage.ts";
export { type PlotSpec, plotSvg, svgToPng } from "./plot.ts";
export { columnOf, type Prediction, positiveColumn } from "./prediction.ts";
export {
  type PredictionSet,
  predictionSetOf,
  withSplit,
} from "./prediction-set.ts";
export { predictionsCsv } from "./predictions-csv.ts";
export { type ReadPredictionsOptions, readPredictions } from "./predictions-file.ts";
export { areaUnderRoc, averagePrecision } from "./ranking.ts";
export { rateRangePlot } from "./rate-range-plot.ts";
export type { Analysis, AnalysisOptions } from "./report/analysis.ts";
export { type Comparison, compareSets, distinctNames, type NamedSet } from "./report/comparison.ts";
export {
  type ComparisonReport,
  comparisonHead,
  comparisonRows,
  PAIR_HEAD,
  pairRows,
  writeComparison,
} from "./report/comparison-page.ts";
export { type ComposeOptions, reportOf } from "./report/compose.ts";
export {
  faithfulnessHead,
  faithfulnessRows,
  faithfulnessText,
  type ReportedFaithfulness,
  sanityText,
} from "./report/faithfulness-rows.ts";
export { drawFigures, FIGURE_STYLE, figureHtml, writeFigures } from "./report/figure-page.ts";
export {
  CALIBRATION_HEAD,
  calibrationRows,
  classHead,
  classRows,
  METRIC_HEAD,
  metricRows,
  metricText,
  metricTitle,
  prevalenceRows,
  ROBUSTNESS_HEAD,
  robustnessRows,
  SUBGROUP_HEAD,
  shownMetric,
  subgroupRemarks,
  subgroupRows,
} from "./report/metric-rows.ts";
export type { Report } from "./report/report.ts";
export { type ReportPredictionsOptions, reportPredictions } from "./report/report-predictions.ts";
export {
  BAND_HEAD,
  bandRows,
  bandText,
  type Embeddings,
  embeddingText,
  type ReportedBand,
  type ReportedShift,
  SHIFT_HEAD,
  shiftRows,
  type Validation,
} from "./report/validation.ts";
export { type Circumstances, warningsOf } from "./report/warnings.ts";
export { REPORT_FILES, writeReport } from "./report/write-report.ts";
export { CORRUPTION_NAMES } from "./robustness/corruptions.ts";
export { type MixtureReading, readShiftMixture, SHIFT_MIXTURE } from "./robustness/mixture.ts";
export type { LabelledFilm } from "./robustness/readings.ts";
export {
  type CorruptionResult,
  estimateRobustness,
  filmsDrawn,
  type Robustness,
  type RobustnessEstimate,
  type RobustnessOptions,
  robustness,
} from "./robustness/robustness.ts";
export { isBetter, SELECTION_METRICS, selectionDirection, youdenThreshold } from "./selection.ts";
export { energyDistance, kolmogorovSmirnov, populationStability } from "./shift/distances.ts";
export { drawnFilms, type EmbeddingShift, embeddingShift } from "./shift/embeddings.ts";
export { filmStatistics } from "./shift/film-statistics.ts";
export {
  type FeatureShift,
  type Shift,
  type ShiftSample,
  shiftBetween,
} from "./shift/shift.ts";
export {
  type ColumnPatterns,
  type FilmShape,
  withNamedGroups,
  withShapes,
} from "./subgroups/film-columns.ts";
export { evaluateSubgroups, type Subgroup, type Subgroups } from "./subgroups/subgroups.ts";
export { COLOURS } from "./theme.ts";
export { statedThreshold } from "./threshold.ts";
