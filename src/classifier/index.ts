/** The classifier as one file: assembled, described, read. Loading it in Node: index.node.ts. */
export { assembleClassifier } from "./assemble.ts";
export { weightsAveraged } from "./averaged-weights.ts";
export { backboneOf, type ClassifierBackbone } from "./backbone-of.ts";
export { calibrated, uncalibrated } from "./calibrated.ts";
export {
  type Calibration,
  type CalibrationMethod,
  calibrateProbabilities,
  mapProbability,
  PROBABILITY_CLIP,
  type ProbabilityMap,
} from "./calibration.ts";
export { FEATURES, withFeatures } from "./features.ts";
export { flipAveraged } from "./flip-averaged.ts";
export { GATE_BACKBONE, GATE_SIZE, gateBackbone } from "./gate/backbone.ts";
export { correctedFilm } from "./gate/corrected-film.ts";
export {
  type GateParts,
  gateFeatures,
  gateModel,
  type LinearScore,
  type Population,
  smallFilms,
} from "./gate/network.ts";
export {
  GATE_CODES,
  GATE_SCORES,
  type GateCode,
  type GateLimits,
  type GateMetadata,
  type GateScore,
  gateWords,
  NO_GATE,
  readGateMetadata,
  type Verdict,
  verdictOf,
} from "./gate/scores.ts";
export { withGate, withoutGate } from "./gate/with-gate.ts";
export { HEAT_MAP, type HeatMapOptions, withHeatMap } from "./heat-map.ts";
export { type Landmarks, landmarksOf, spliced } from "./landmarks.ts";
export {
  type ClassifierInput,
  type ClassifierMetadata,
  HEAT_MAP_METHODS,
  type HeatMapInfo,
  type HeatMapMethod,
  isOurs,
  NOTICE,
  type OperatingPoint,
  readMetadata,
  writeMetadata,
} from "./metadata.ts";
export { averageMirrors, withMirrors } from "./mirrors.ts";
export { type Reading, readingOf } from "./reading.ts";
export { weightLayers, withShuffledWeights } from "./shuffled-weights.ts";
export { withStoredWeights } from "./stored-weights.ts";
export { logitCount, logitTargets, probabilitiesOf } from "./task.ts";
