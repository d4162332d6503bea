/** Find, audit, split by patient, cache and augment. */

export {
  AUGMENTATION_COLUMNS,
  AUGMENTATIONS,
  type Augmentation,
  augmented,
  drawAugmentation,
  mixed,
} from "./augmentation.ts";
export {
  classOf,
  compareBytes,
  type Dataset,
  type DatasetProblem,
  labelsOf,
  type Sample,
  type Task,
} from "./dataset.ts";
export { type OpenOptions, openDataset } from "./open.ts";
export { type DataSplit, findLeaks, type SplitOptions, splitByPatient } from "./split.ts";
