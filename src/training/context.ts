/** What a caller gives along with the options: where, whom to tell, parts of its own. */
import type { Loss } from "../autodiff/index.ts";
import type { Prediction } from "../evaluation/index.ts";
import type { Network } from "../models/index.ts";
import type { EpochRecord } from "./checkpoint.ts";
import type { DataOptions } from "./data.ts";
import type { OnTrainEvent } from "./events.ts";
import type { PretrainedBackbone } from "./transfer/network.ts";

/** A metric of the user's own, higher is better: recorded with each epoch, and selectable by its name. */
export type OwnMetric = (predictions: readonly Prediction[]) => number | null;

/** Where a run lives, whom it tells, and what it takes from the caller's code. */
export interface TrainContext extends Omit<DataOptions, "onProgress"> {
  /** The run's folder. */
  readonly out: string;
  /** Goes on with the run in `out`, or starts it where there is none. */
  readonly isResumed?: boolean | undefined;
  readonly onEvent?: OnTrainEvent | undefined;
  /** Takes the place of the named model. */
  readonly network?: Network | undefined;
  /** Takes the place of the named model: its head is trained, then blocks of it from the top. */
  readonly backbone?: PretrainedBackbone | undefined;
  /** Takes the place of the named loss. */
  readonly loss?: Loss | undefined;
  readonly metrics?: Readonly<Record<string, OwnMetric>> | undefined;
  /** Awaited after each epoch, before it is saved, with what was predicted on validation. */
  readonly onEpoch?:
    | ((record: EpochRecord, predictions: readonly Prediction[]) => void | Promise<void>)
    | undefined;
  /** Writes a sheet of augmented samples into the run folder. */
  readonly hasPreview?: boolean | undefined;
  /** Longest time between two checkpoints; an epoch's end always writes one. 30 s by default. */
  readonly checkpointMs?: number | undefined;
}
