/** What training tells while it works. */
import type { DatasetProblem } from "../datasets/index.ts";
import type { EpochRecord } from "./checkpoint.ts";
import type { RunResult } from "./run-folder.ts";

export type TrainEvent =
  | { readonly kind: "caching"; readonly done: number; readonly total: number }
  | { readonly kind: "problem"; readonly problem: DatasetProblem }
  | {
      readonly kind: "started";
      readonly run: string;
      readonly train: number;
      readonly validation: number;
      readonly parameters: number;
      readonly epochs: number;
      readonly resumedAt: { readonly epoch: number; readonly step: number } | null;
    }
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly step: number;
      readonly steps: number;
      /** Mean over the epoch so far. */
      readonly loss: number;
      readonly imagesPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly isBest: boolean }
  | { readonly kind: "checkpoint"; readonly epoch: number; readonly step: number }
  | { readonly kind: "finished"; readonly result: RunResult };

export type OnTrainEvent = (event: TrainEvent) => void;
