/** The browser-safe part of the room: tasks and augmentation graphs. */
export {
  AUGMENTATION_COLUMNS,
  AUGMENTATIONS,
  type Augmentation,
  augmented,
  drawAugmentation,
  mixed,
} from "./augmentation.ts";
export type { Sample } from "./dataset.ts";
export { labelsOf, type Task } from "./task.ts";
