/** A configuration that is trained once more, on the data of all folds. */
import type { TrainOptions } from "../options.ts";

/**
 * Share of the patients that choose the epoch and the operating point: the others, all folds' data
 * alike, train.
 */
const CHOOSING = 0.05;

/** The options of such a run, from those of a trial. */
export const refitted = (options: TrainOptions): TrainOptions => ({
  ...options,
  valFraction: CHOOSING,
});
