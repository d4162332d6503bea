/** What training tells while it works. */
import type { DatasetProblem } from "../datasets/index.ts";
import type { EpochRecord } from "./checkpoint.ts";
import type { RunResult } from "./run-folder.ts";

export type TrainEvent =
  /** In cross-validation: the events that follow are this fold's. */
  | { readonly kind: "fold"; readonly fold: number; readonly folds: number }
  | { readonly kind: "caching"; readonly done: number; readonly total: number }
  /** Of the frozen backbone, all passes together. */
  | { readonly kind: "features"; readonly done: number; readonly total: number }
  | {
      readonly kind: "headEpoch";
      readonly record: EpochRecord;
      /** At most. */
      readonly epochs: number;
      readonly isBest: boolean;
    }
  /** The head is found, or was by an earlier process. */
  | {
      readonly kind: "head";
      readonly bestEpoch: number;
      readonly epochs: number;
      readonly metric: { readonly name: string; readonly value: number | null };
    }
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
  | { readonly kind: "epochStarted"; readonly epoch: number; readonly steps: number }
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly step: number;
      readonly steps: number;
      /** Mean over the epoch so far. */
      readonly loss: number;
      /** The metric that chooses the best epoch, as of the last validation. */
      readonly metric: { readonly name: string; readonly value: number | null };
      readonly imagesPerSecond: number;
      readonly secondsLeft: number;
    }
  | {
      readonly kind: "epoch";
      readonly record: EpochRecord;
      /** The one that chooses the best epoch. */
      readonly metric: string;
      readonly isBest: boolean;
    }
  | { readonly kind: "checkpoint"; readonly epoch: number; readonly step: number }
  | { readonly kind: "finished"; readonly result: RunResult };

export type OnTrainEvent = (event: TrainEvent) => void;

/**
 * The events of some work as they come, then its result as the generator's return value. Leaving
 * the loop early aborts the signal and waits for the work to end.
 */
export async function* eventsOf<T>(
  begin: (context: { onEvent: OnTrainEvent; signal: AbortSignal }) => Promise<T>,
): AsyncGenerator<TrainEvent, T> {
  const stop = new AbortController();
  const queue: TrainEvent[] = [];
  let isDone = false;
  let wake = () => {};
  const onEvent = (event: TrainEvent) => {
    queue.push(event);
    wake();
  };
  const work = begin({ onEvent, signal: stop.signal }).finally(() => {
    isDone = true;
    wake();
  });
  // Awaited below; until then a failure is not unhandled.
  work.catch(() => undefined);
  try {
    for (;;) {
      const event = queue.shift();
      if (event) yield event;
      else if (isDone) return await work;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stop.abort();
    await work.catch(() => undefined);
  }
}
