/** What a run will do, settled before it starts: network, loss, graphs. */
import { hash } from "node:crypto";
import {
  binaryCrossEntropy,
  focal,
  type Loss,
  parameterNames,
  softmaxCrossEntropy,
  type TrainingGraph,
  trainingGraph,
} from "../autodiff/index.ts";
import { logitCount } from "../classifier/index.ts";
import { AUGMENTATIONS, type Augmentation, type Task } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import type { Normalization } from "../images/index.ts";
import { type Network, networkEntry } from "../models/index.ts";
import { type Graph, modelOf, writeModel } from "../onnx/index.ts";
import { inferenceForward, trainingForward } from "./compose.ts";
import { optimizerOf } from "./optimizer-of.ts";
import type { Settings } from "./options.ts";
import {
  fineTuning,
  type PretrainedBackbone,
  type TransferNetwork,
  transferNetwork,
} from "./transfer/network.ts";

export interface Graphs {
  readonly network: Network;
  /** Of a pretrained backbone: its features. */
  readonly transfer: TransferNetwork | undefined;
  readonly loss: Loss;
  readonly augmentation: Augmentation;
  readonly training: TrainingGraph;
  /** Images to probabilities, with everything that training changes as inputs. */
  readonly validation: Graph;
  readonly parameters: number;
  /** Of everything from film to loss, initial weights included. */
  readonly sha256: string;
}

export interface OwnParts {
  readonly network?: Network | undefined;
  readonly backbone?: PretrainedBackbone | undefined;
  /** Whether the backbone keeps its statistics, and trains from the top as far as the settings say. */
  readonly isPretrained?: boolean | undefined;
  readonly loss?: Loss | undefined;
}

/** The graphs of a run. A network, backbone or loss given takes the place of the named one. */
export function graphsOf(
  settings: Settings,
  task: Task,
  {
    batch,
    block,
    network: ownNetwork,
    backbone,
    isPretrained = false,
    loss: ownLoss,
  }: OwnParts & { readonly batch: number; readonly block: number },
): Graphs {
  const { width, depth, seed, size, model } = settings;
  const transfer = backbone && transferNetwork(backbone, settings);
  const network =
    transfer?.network ?? ownNetwork ?? networkEntry(model).build({ width, depth, seed });
  const parts = {
    network,
    logits: logitCount(task),
    size,
    normalization: settings.normalization as Normalization,
  };
  const augmentation = augmentationOf(settings);
  const loss = ownLoss ?? lossOf(settings, task);
  const forward = trainingForward({ ...parts, batch, augmentation, loss });
  const names = parameterNames(forward);
  const isFree = trainableBy(settings.freeze, names);
  const tuning = transfer && isPretrained ? fineTuning(transfer.blocks, settings) : undefined;
  const training = trainingGraph(forward, {
    optimizer: optimizerOf(settings),
    trainable: (name) => isFree(name) && (tuning?.isTrainable(name) ?? true),
    rateOf: tuning?.rateOf,
    keepsStatistics: () => tuning !== undefined,
    averages: settings.averageDecay > 0,
    microBatches: settings.microBatches,
    block,
    ...(settings.clipNorm === null ? {} : { clipNorm: settings.clipNorm }),
  });
  const held = training.state.filter(({ kind }) => kind === "parameter" || kind === "statistic");
  const inputs = new Set(held.map(({ name }) => name));
  return {
    network,
    transfer,
    loss,
    augmentation,
    training,
    validation: inferenceForward({ ...parts, task, inputs }),
    parameters: names.reduce((sum, name) => sum + forward.initializers.get(name)!.data.length, 0),
    sha256: hash("sha256", writeModel(modelOf(forward))),
  };
}

export function augmentationOf({ augmentation, mixup }: Settings): Augmentation {
  return { ...AUGMENTATIONS[augmentation], ...(mixup > 0 ? { mixup } : {}) };
}

/** The loss that the settings name. */
export function lossOf({ loss, labelSmoothing }: Settings, task: Task): Loss {
  if (loss === "focal") return focal({ labelSmoothing });
  const isExclusive = task.kind === "classes" && task.positive === null;
  return isExclusive
    ? softmaxCrossEntropy({ labelSmoothing })
    : binaryCrossEntropy({ labelSmoothing });
}

/** Parameters that no pattern freezes. A pattern that meets nothing is an error: it is mistyped. */
function trainableBy(
  patterns: readonly string[],
  names: readonly string[],
): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const expression = compiled(pattern);
    if (!names.some((name) => expression.test(name)))
      throw new HilumError(
        "invalid-option",
        `Option freeze: no parameter is called like "${pattern}". The first ones are: ${names.slice(0, 6).join(", ")}.`,
        { option: "freeze", value: pattern, allowed: names },
      );
    return expression;
  });
  return (name) => !expressions.some((expression) => expression.test(name));
}

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new HilumError(
      "invalid-option",
      `Option freeze: "${pattern}" is no regular expression (${(cause as Error).message}).`,
      { option: "freeze", value: pattern },
      cause,
    );
  }
}
