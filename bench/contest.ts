/** One row of a comparison: what the programs are told to do. */

export const TASKS = ["training", "inference", "features", "fine-tuning"] as const;
export type Task = (typeof TASKS)[number];

export interface Contest {
  /** Of the row. */
  readonly name: string;
  readonly task: Task;
  /** The network, by the name that all programs know. */
  readonly work: string;
  /** Side of the square input. */
  readonly size: number;
  readonly batch: number;
}
