/** Classifiers from files, in Node. */
export { readFilms } from "./films.node.ts";
export {
  type Classifier,
  type FileReading,
  loadClassifier,
  loadMetadata,
  modelPath,
  type ReadFilesOptions,
} from "./load.node.ts";
export { NOTICE } from "./metadata.ts";
export { type FeatureReader, openFeatureReader, readFeatures } from "./read-features.node.ts";
