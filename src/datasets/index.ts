/** Find, audit, split by patient, cache and augment. */

export { defaultCacheFolder } from "../cache-folder.node.ts";

export { type Audit, type AuditOptions, auditDataset } from "./audit.ts";
export { auditPage } from "./audit-page.ts";
export { type AuditPictures, auditPictures, auditSheet } from "./audit-pictures.ts";
export { auditText } from "./audit-text.ts";
export { AUGMENTATION_COLUMNS, drawAugmentation } from "./augmentation/draw.ts";
export { augmented, mixed } from "./augmentation/graph.ts";
export { AUGMENTATIONS, type Augmentation } from "./augmentation/ranges.ts";
export {
  buildImageCache,
  type CacheOptions,
  type ImageCache,
} from "./cache.ts";
export { openDigestMemory } from "./cache-digest.ts";
export { openPackStore, type PackStore } from "./cache-store.ts";
export { contactSheet, type SheetFilm, type SheetOptions } from "./contact-sheet.ts";
export type { Dataset, DatasetProblem, Sample } from "./dataset.ts";
export { classOf, compareBytes, isNegativeName } from "./dataset.ts";
export { FILM_GRID_STYLE, type FilmPicture, filmGrid, filmPicture } from "./film-grid.ts";
export { groupBy, indivisibleGroups } from "./group.ts";
export { type DigestInPart, findLeaks } from "./leaks.ts";
export { manifestLines } from "./manifest-lines.ts";
export { numbered, numbersBelow } from "./numbering.ts";
export { type OpenOptions, openDataset } from "./open.ts";
export { drawPhantom, type PhantomLabel, type PhantomOptions } from "./phantom/phantom.ts";
export {
  type PhantomDatasetOptions,
  type PlannedPhantom,
  planPhantoms,
  SYNTHETIC_NOTICE,
  writePhantomDataset,
} from "./phantom/phantom-dataset.ts";
export { joined, picked, type Samples, samplesFrom } from "./samples.ts";
export { type DataSplit, type SplitOptions, splitByPatient } from "./split.ts";
export { labelsOf, type Task } from "./task.ts";
