/** The head's stage of a run: taken from its folder, or found and written there. */
import { assert } from "../../errors.ts";
import type { TrainContext } from "../context.ts";
import type { Run } from "../run.ts";
import { trainHead } from "./head.ts";
import { type HeadRecord, readHead, writeHead } from "./head-record.ts";
import { openHeadSets } from "./head-sets.ts";

export type EnteredRun = Pick<Run, "folder" | "settings" | "dataset" | "data" | "graphs">;

/** The head of the run's backbone. Throws what `openHeadSets` and `trainHead` throw. */
export async function findHead(run: EnteredRun, context: TrainContext): Promise<HeadRecord> {
  const head = readHead(run.folder) ?? (await newHead(run, context));
  const { metric } = run.settings;
  context.onEvent?.({
    kind: "head",
    bestEpoch: head.bestEpoch,
    epochs: head.history.length,
    metric: { name: metric, value: head.value },
  });
  return head;
}

async function newHead(run: EnteredRun, context: TrainContext): Promise<HeadRecord> {
  const { folder, settings, dataset, data, graphs } = run;
  const { transfer, augmentation, loss } = graphs;
  assert(transfer, "a head's stage needs a backbone");
  const sets = await openHeadSets(
    { task: dataset.task, train: data.train, validation: data.validation },
    { ...context, features: transfer.features, settings, augmentation },
  );
  try {
    const head = await trainHead({ settings, sets, loss, context });
    writeHead(folder, head);
    return head;
  } finally {
    await sets.close();
  }
}
