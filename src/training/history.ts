/** The history of a run in its three forms: JSON lines, a TensorBoard event file, curves. */
import {
  type CurvePoint,
  type LearningHistory,
  learningCurves,
  svgToPng,
} from "../evaluation/index.ts";
import type { EpochRecord } from "./checkpoint.ts";
import type { RunFolder } from "./run-folder.ts";
import { scalarEvent, versionEvent } from "./tensorboard.ts";

export interface Histories {
  /** Of a pretrained backbone's head, which comes first. */
  readonly head?: readonly EpochRecord[] | undefined;
  readonly epochs: readonly EpochRecord[];
}

/** Writes the whole history anew: a resumed run leaves no line that it did not train. */
export async function writeHistory(
  folder: RunFolder,
  { head, epochs }: Histories,
  metric: string,
): Promise<void> {
  folder.write("history", epochs.map((record) => `${JSON.stringify(record)}\n`).join(""));
  folder.write("events", eventFile(epochs));
  folder.write("curves", await learningCurves(pointsOf({ head, epochs }), metric));
}

export async function writeCurvesPicture(
  folder: RunFolder,
  histories: Histories,
  metric: string,
): Promise<void> {
  folder.write("curvesPicture", await svgToPng(await learningCurves(pointsOf(histories), metric)));
}

/** How a run learned, from its folder. Throws `run-damaged`. */
export function learningOf(folder: RunFolder, name: string): LearningHistory {
  const histories = { head: folder.lines("headHistory"), epochs: folder.lines("history") };
  return { name, points: pointsOf(histories as Histories) };
}

/** The head's epochs end at 0, where those of the whole network begin. */
function pointsOf({ head = [], epochs }: Histories): CurvePoint[] {
  const before = head.map(({ epoch, ...record }) => ({
    ...record,
    epoch: epoch - head.length,
    name: `epoch ${epoch} of the head`,
  }));
  return [...before, ...epochs];
}

/** The scalars of all epochs, whose numbers are the steps of the file. */
export function eventFile(history: readonly EpochRecord[]): Uint8Array {
  const records = history.flatMap((record) => {
    const { epoch, time } = record;
    return scalarsOf(record).flatMap(([tag, value]) =>
      value === null ? [] : [scalarEvent({ tag, value, step: epoch, seconds: time })],
    );
  });
  return Buffer.concat([versionEvent(history[0]?.time ?? 0), ...records]);
}

function scalarsOf(record: EpochRecord): [string, number | null][] {
  return [
    ["loss/train", record.loss],
    ["loss/validation", record.valLoss],
    ["learning_rate", record.learningRate],
    ["images_per_second", record.imagesPerSecond],
    ...Object.entries(record.metrics).map(([key, value]): [string, number | null] => [
      `validation/${key}`,
      value,
    ]),
  ];
}
