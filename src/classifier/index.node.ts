/** Classifiers from files, in Node. */

export { enlargedHeat } from "./enlarged-heat.ts";
export {
  type ExplainFilmsOptions,
  explainFilms,
  type FileExplanation,
} from "./explain-films.node.ts";
export {
  EXPLANATION_METHODS,
  type Explained,
  type Explainer,
  type ExplainOptions,
  type ExplanationMethod,
  type HeatMap,
  openExplainer,
} from "./explainer.node.ts";
export { readFilms } from "./films.node.ts";
export { filmForHeat, HEAT_COLOURS, type HeatedFilm, peakOf } from "./heated-film.node.ts";
export {
  type Classifier,
  type FileReading,
  type FilmReading,
  loadClassifier,
  loadMetadata,
  modelPath,
  type ReadFilesOptions,
} from "./load.node.ts";
export { NOTICE } from "./metadata.ts";
export { type OverlayFacts, overlayPng } from "./overlay.node.ts";
export { openPictureReader, type PictureReader } from "./pictures.node.ts";
export { type FeatureReader, openFeatureReader, readFeatures } from "./read-features.node.ts";
export { SHIPPED_MODEL, shippedModel } from "./shipped.node.ts";
