/** A run's folder as training writes it, without training: for lists of many. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { networkEntry } from "../../src/models/index.ts";
import type { EpochRecord } from "../../src/training/index.ts";
import { settingsOf } from "../../src/training/options.ts";
import { HEAD_FOLDER, RUN_FILES } from "../../src/training/run-folder.ts";

export interface WrittenRun {
  readonly model: string;
  readonly lr: number;
  /** AUROC of each epoch. */
  readonly values: readonly number[];
  /** AUROC of each epoch of a pretrained backbone's head. */
  readonly head?: readonly number[];
  /** Before the first epoch, in seconds since 1970; each takes two. */
  readonly time: number;
  readonly isFinished?: boolean;
}

/** Writes config.json, the histories and, of a finished one, result.json. */
export function writeRun(
  folder: string,
  { model, lr, values, head, time, isFinished = true }: WrittenRun,
): void {
  mkdirSync(folder, { recursive: true });
  const { recipe } = networkEntry("cnn");
  const settings = settingsOf({ model, lr }, recipe, { metric: "auroc", threads: 1 });
  const config = {
    format: 1,
    hilum: "0",
    data: "/films",
    settings,
    manifestSha256: "",
    networkSha256: "",
    leaks: [],
  };
  writeFileSync(join(folder, RUN_FILES.config), JSON.stringify(config));
  writeFileSync(join(folder, RUN_FILES.history), linesOf(values, time));
  if (head) {
    mkdirSync(join(folder, HEAD_FOLDER));
    writeFileSync(join(folder, RUN_FILES.headHistory), linesOf(head, time));
  }
  if (isFinished) writeFileSync(join(folder, RUN_FILES.result), "{}");
}

const linesOf = (values: readonly number[], time: number) =>
  values.map((value, index) => `${JSON.stringify(epochOf(value, index + 1, time))}\n`).join("");

/** One line of the history. */
export function epochOf(value: number, epoch: number, time: number): EpochRecord {
  return {
    epoch,
    loss: 1 / epoch,
    valLoss: 1.2 / epoch,
    metrics: { auroc: value },
    learningRate: 0.1,
    seconds: 2,
    imagesPerSecond: 100,
    time: time + epoch,
  };
}
