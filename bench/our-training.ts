/** Hilum's side of the training bench: the graph and the trainer that `train` itself runs. */
import type { TrainingGraph } from "../src/autodiff/index.ts";
import type { Task } from "../src/datasets/index.ts";
import type { Recipe } from "../src/models/index.ts";
import { blockedChannels } from "../src/onnx/index.node.ts";
import { hashPath, randomStream } from "../src/random.ts";
import { settingsOf } from "../src/training/options.ts";
import { type Graphs, graphsOf } from "../src/training/plan.ts";
import { type Feeds, openTrainer, type TrainerOptions } from "../src/training/trainer.ts";
import type { Work } from "./works.ts";

export interface OurTrainingOptions {
  readonly threads: number;
  readonly seed?: number;
  readonly profilePrefix?: string | undefined;
  readonly augmentation?: Recipe["augmentation"];
}

export interface OurSteps {
  /** Shapes of the parameters that train. */
  readonly parameters: readonly (readonly number[])[];
  /** One step to its end. */
  step(): Promise<unknown>;
  close(): Promise<void>;
}

export interface OurTraining extends OurSteps {
  readonly graphs: Graphs;
  /** One step on the batch in memory, or on the given one; returns its loss. */
  step(feeds?: Feeds): Promise<number>;
}

const LEARNING_RATE = 1e-3;

export const TASK: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };

export async function openOurTraining(
  work: Work,
  { threads, seed = 1, profilePrefix, augmentation = "none" }: OurTrainingOptions,
): Promise<OurTraining> {
  const recipe: Recipe = {
    size: work.size,
    batch: work.batch,
    epochs: 1,
    learningRate: LEARNING_RATE,
    weightDecay: 0.01,
    optimizer: "adamw",
    augmentation,
  };
  const settings = settingsOf({ model: work.name, seed }, recipe, { metric: "auroc", threads });
  const graphs = graphsOf(settings, TASK, {
    batch: work.batch,
    block: await blockedChannels(),
    network: work.network(seed),
  });
  const { size, batch } = work;
  return {
    graphs,
    ...(await openSteps(graphs.training, { size, batch, threads, seed, profilePrefix })),
  };
}

export interface StepOptions extends TrainerOptions {
  readonly size: number;
  readonly batch: number;
  readonly seed?: number;
}

/** Steps of a training graph on one batch in memory. */
export async function openSteps(
  training: TrainingGraph,
  { size, batch, seed = 1, ...options }: StepOptions,
): Promise<Omit<OurTraining, "graphs">> {
  const trainer = await openTrainer(training, options);
  const own = batchInMemory({ size, batch }, seed);
  let steps = 0;
  return {
    parameters: training.state
      .filter(({ kind }) => kind === "parameter")
      .map(({ initial }) => initial.dims),
    async step(feeds = own) {
      steps++;
      const output = await trainer.step(feeds, {
        learningRate: LEARNING_RATE,
        step: steps,
        averageDecay: 0,
        noiseSeed: hashPath(seed, "noise", 0, steps),
      });
      return Number(output.loss!.data[0]);
    },
    close: () => trainer.close(),
  };
}

/** Seeded noise: how long a step takes does not hang on what is in the pictures. */
function batchInMemory({ size, batch }: Pick<Work, "size" | "batch">, seed: number): Feeds {
  const random = randomStream(seed, "bench");
  const images = Uint8Array.from({ length: batch * size * size }, () => random.integer(256));
  const targets = Float32Array.from({ length: batch }, (_, index) => index % 2);
  return {
    images: { type: "uint8", dims: [batch, size, size], data: images },
    targets: { type: "float32", dims: [batch, 1], data: targets },
    weights: { type: "float32", dims: [batch, 1], data: new Float32Array(batch).fill(1) },
  };
}
