/** Hilum's side of the transfer bench: the graphs that `train` runs on a pretrained backbone. */
import { parameterNames } from "../src/autodiff/index.ts";
import { AUGMENTATIONS } from "../src/datasets/index.ts";
import { assert } from "../src/errors.ts";
import { backboneEntry, backboneGraph } from "../src/models/index.ts";
import { blockedChannels, openSession } from "../src/onnx/index.node.ts";
import { type Graph, modelOf, type Tensor, writeModel } from "../src/onnx/index.ts";
import { randomStream } from "../src/random.ts";
import { type Settings, settingsOf } from "../src/training/options.ts";
import { graphsOf } from "../src/training/plan.ts";
import { featureGraph } from "../src/training/transfer/features.ts";
import { type PretrainedBackbone, transferNetwork } from "../src/training/transfer/network.ts";
import type { Contest } from "./contest.ts";
import { type OurSteps, openSteps, TASK } from "./our-training.ts";
import { UNFROZEN } from "./transfers.ts";

type Shape = Pick<Contest, "work" | "size" | "batch">;
interface Options {
  readonly threads: number;
}

/** A step is one batch in as many runs as `train` makes of it, which takes few films at once. */
export async function openOurFeatures(
  { work, size, batch }: Shape,
  { threads }: Options,
): Promise<OurSteps> {
  const backbone = randomBackbone(work, size);
  const settings = settingsFor({ work, size, batch }, threads);
  const { features } = transferNetwork(backbone, settings);
  const augmentation = AUGMENTATIONS.none;
  const graph = featureGraph(size, { features, settings, augmentation }, false);
  const session = await openSession(writeModel(modelOf(graph)), settings);
  const atOnce = Number(graph.inputs[0]!.shape![0]);
  const random = randomStream(1, "bench");
  const parts = Array.from(
    { length: Math.ceil(batch / atOnce) },
    (): Tensor => ({
      type: "uint8",
      dims: [atOnce, size, size],
      data: Uint8Array.from({ length: atOnce * size * size }, () => random.integer(256)),
    }),
  );
  return {
    parameters: publishedShapes(parameterNames(graph), graph, backbone),
    async step() {
      for (const images of parts) {
        const { features: vectors } = await session.run({ images });
        assert((vectors!.data as Float32Array).every(Number.isFinite), "a feature is no number");
      }
    },
    close: () => session.close(),
  };
}

/** A step of fine-tuning from the blocks that UNFROZEN names, the backbone's statistics kept. */
export async function openOurFineTuning(shape: Shape, { threads }: Options): Promise<OurSteps> {
  const backbone = randomBackbone(shape.work, shape.size);
  const { training } = graphsOf(settingsFor(shape, threads), TASK, {
    batch: shape.batch,
    block: await blockedChannels(),
    backbone,
    isPretrained: true,
  });
  const steps = await openSteps(training, { ...shape, threads, plansMemory: false });
  const trained = training.state.filter(({ kind }) => kind === "parameter");
  const initial = new Map(trained.map(({ name, initial: tensor }) => [name, tensor]));
  const parameters = publishedShapes([...initial.keys()], { initializers: initial }, backbone);
  return { ...steps, parameters };
}

function settingsFor({ work, size, batch }: Shape, threads: number): Settings {
  const { recipe } = backboneEntry(work);
  return settingsOf(
    { model: work, size, batch, unfreeze: UNFROZEN[work], augmentation: "none" },
    recipe,
    { metric: "auroc", threads },
  );
}

/** How long a step takes does not hang on the weights. */
function randomBackbone(work: string, size: number): PretrainedBackbone {
  const entry = backboneEntry(work);
  return { graph: backboneGraph({ ...entry, size }), preprocessing: entry.preprocessing };
}

/** The stem counts as published, with its three channels: the grey one stands for it. */
function publishedShapes(
  names: readonly string[],
  own: Pick<Graph, "initializers">,
  { graph }: PretrainedBackbone,
): (readonly number[])[] {
  return names.map((name) => (graph.initializers.get(name) ?? own.initializers.get(name)!).dims);
}
