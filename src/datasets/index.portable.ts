/** The browser-safe part of the room: tasks and augmentation graphs. */
export { AUGMENTATION_COLUMNS, drawAugmentation } from "./augmentation/draw.ts";
export { augmented, mixed } from "./augmentation/graph.ts";
export { AUGMENTATIONS, type Augmentation } from "./augmentation/ranges.ts";
export type { Sample } from "./dataset.ts";
export type { Samples } from "./samples.ts";
export { labelsOf, type Task } from "./task.ts";
