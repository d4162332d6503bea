/** The films that heads are trained and judged on, as rows of features: opened once, for any number of heads. */
import { logitCount, probabilitiesOf } from "../../classifier/index.ts";
import type { ImageCache, Samples, Task } from "../../datasets/index.ts";
import type { Prediction } from "../../evaluation/index.ts";
import { openSession, type Session } from "../../onnx/index.node.ts";
import { float32, type Graph, graphBuilder, type Tensor } from "../../onnx/index.ts";
import { weightsAsInputs } from "../compose.ts";
import type { OnTrainEvent } from "../events.ts";
import { type FeatureSource, openFeatures } from "./features.ts";
import { type Room, type Rows, rowsOf, type Scale, scaleOf } from "./head-rows.ts";
import { HEAD, headOf } from "./network.ts";

export interface HeadSets {
  readonly task: Task;
  /** Of the training films, of which `rows` are standardised. */
  readonly scale: Scale;
  readonly rows: Rows;
  readonly samples: Samples;
  /** What a head that takes features as they are says of each validation film. */
  predict(head: ReadonlyMap<string, Tensor>): Promise<Prediction[]>;
  close(): Promise<void>;
}

export interface HeadFilms {
  readonly task: Task;
  readonly train: ImageCache;
  readonly validation: ImageCache;
}

/** Of a run: rows beyond are read from the disk in each epoch. */
const ROOM = 2 ** 28;
/** Films that are judged at once. */
const BLOCK = 1024;

/** Throws what `openFeatures` throws. */
export async function openHeadSets(
  { task, train: films, validation: others }: HeadFilms,
  {
    onEvent,
    room = { bytes: ROOM },
    ...source
  }: Omit<FeatureSource, "onProgress"> & {
    readonly onEvent?: OnTrainEvent | undefined;
    readonly room?: Room | undefined;
  },
): Promise<HeadSets> {
  const { featurePasses } = source.settings;
  const total = films.count * (featurePasses + 1) + others.count;
  const told = (before: number) => ({
    ...source,
    onProgress: ({ done }: { done: number }) =>
      onEvent?.({ kind: "features", done: before + done, total }),
  });
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const train = await openFeatures(films, featurePasses, told(0));
    closers.push(train.close);
    const validation = await openFeatures(others, 0, told(total - others.count));
    closers.push(validation.close);
    const scale = scaleOf(train);
    const [rows, judged] = [rowsOf(train, room, scale), rowsOf(validation, room)];
    closers.push(() => {
      room.bytes += rows.bytes + judged.bytes;
    });
    // More threads do not pay: with two an epoch takes as long, and twice the processor.
    const session = await openSession(validationOf(task, judged.width), { threads: 1 });
    closers.push(session.close);
    return {
      task,
      scale,
      rows,
      samples: films.samples,
      predict: (head) => predict(session, { rows: judged, samples: others.samples }, head),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function validationOf(task: Task, width: number): Graph {
  const builder = graphBuilder();
  const features = builder.input("features", "float32", ["N", width]);
  // The seed draws weights that are fed here.
  builder.output(probabilitiesOf(headOf(features, logitCount(task), 1), task), "probabilities");
  return weightsAsInputs(builder.build("head-validation"), new Set(HEAD));
}

async function predict(
  session: Session,
  { rows, samples }: { readonly rows: Rows; readonly samples: Samples },
  head: ReadonlyMap<string, Tensor>,
): Promise<Prediction[]> {
  const weights = Object.fromEntries(head);
  const predictions: Prediction[] = [];
  for (let start = 0; start < rows.count; start += BLOCK) {
    const here = Math.min(BLOCK, rows.count - start);
    const features = float32([here, rows.width], rows.block(start, here));
    const { probabilities } = await session.run({ features, ...weights });
    const values = probabilities!.data as Float32Array;
    const classes = values.length / here;
    for (let place = 0; place < here; place++)
      predictions.push({
        target: samples.at(start + place)!.target,
        probabilities: values.subarray(place * classes, (place + 1) * classes),
      });
  }
  return predictions;
}
