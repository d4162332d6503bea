/**
 * Where a sweep is kept: an interface, so that a server's database can take the place of the file.
 * Read next: claim.ts, which decides what a worker does; sqlite-store.ts, the file.
 */
import type { Holder } from "../../folder-lock.node.ts";
import type { Budget, SweepConfig } from "./config.ts";
import type { Params } from "./space.ts";
import type { Report, Trial } from "./trial.ts";

export interface Worker extends Holder {
  readonly id: string;
  readonly host: string;
}

export interface WorkerRecord extends Worker {
  /** Milliseconds since 1970: when it began, and when it was last heard of. */
  readonly begun: number;
  readonly seen: number;
}

/** A trial, who works on it, and how many did before. */
export interface TrialRecord extends Trial {
  /** Null where nobody does. */
  readonly worker: string | null;
  readonly attempts: number;
}

export interface SweepView {
  readonly trials: readonly TrialRecord[];
  readonly workers: readonly WorkerRecord[];
}

/** What a worker is to do next. */
export type Decision =
  | { readonly kind: "begin"; readonly number: number; readonly params: Params }
  | { readonly kind: "take over"; readonly number: number }
  /** Its workers died one after another. */
  | { readonly kind: "give up"; readonly number: number; readonly error: string }
  /** Others are at work, and may leave something. */
  | { readonly kind: "wait" }
  | { readonly kind: "over" };

export interface Outcome {
  readonly state: "complete" | "pruned" | "failed";
  readonly values: readonly (number | null)[];
  readonly error: string | null;
}

export interface SweepStore {
  config(): Promise<SweepConfig | undefined>;
  /** Writes down what the sweep is; false where that is written already. */
  begin(config: SweepConfig): Promise<boolean>;
  changeBudget(budget: Budget): Promise<void>;
  /** All trials by number. */
  trials(): Promise<TrialRecord[]>;
  workers(): Promise<WorkerRecord[]>;
  /** Decides and writes the decision down, while no other worker does. */
  claim(worker: Worker, decide: (view: SweepView) => Decision): Promise<Decision>;
  /** Each of these is false where another worker has the trial by now. */
  report(worker: Worker, number: number, report: Report, seconds: number): Promise<boolean>;
  end(worker: Worker, number: number, outcome: Outcome, seconds: number): Promise<boolean>;
  /** Leaves a trial to whoever comes. */
  release(worker: Worker, number: number, seconds: number): Promise<boolean>;
  /** Says that the worker is alive. */
  beat(worker: Worker): Promise<void>;
  close(): Promise<void>;
}
