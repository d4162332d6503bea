/** Which model a run trains: a network from scratch, a pretrained backbone by name, or an ONNX file's. */
import { hash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SHIPPED_MODEL, shippedModel } from "../../classifier/index.node.ts";
import { HilumError } from "../../errors.ts";
import { pretrainedWeights, readWeights } from "../../models/index.node.ts";
import {
  BACKBONES,
  type BackboneEntry,
  backboneGraph,
  entryNamed,
  NETWORKS,
  type NetworkEntry,
  type Recipe,
} from "../../models/index.ts";
import { readModelFile } from "../../onnx/index.node.ts";
import type { TrainContext } from "../context.ts";
import type { Settings, TrainOptions } from "../options.ts";
import { fileBackbone } from "./file-backbone.ts";
import type { PretrainedBackbone } from "./network.ts";

export interface ChosenModel {
  /** What the run calls it: never a path. */
  readonly name: string;
  readonly recipe: Recipe;
  /** What is taken where nothing is said, beside the recipe. */
  readonly defaults: Partial<Settings>;
  /** The file that the weights come from. */
  readonly weights: WeightFile | null;
  /** Whether a head is found on the frozen backbone before that is trained, by its own statistics. */
  readonly isPretrained: boolean;
  /** Reads the weights; undefined for networks that have no backbone. */
  backbone(settings: Settings): Promise<PretrainedBackbone | undefined>;
}

export interface WeightFile {
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
}

/** Of a network, or a backbone, of the caller's own. */
const OWN_RECIPE: Recipe = {
  size: 96,
  batch: 32,
  epochs: 10,
  learningRate: 1e-3,
  weightDecay: 0.01,
  optimizer: "adamw",
  augmentation: "light",
};

/** What a run with a network of the caller's own calls its model, and one with an ONNX file. */
const OWN = "own";
const ONNX = "onnx";

/** Files of weights, which do not say what network they belong to, or not so that it could be read. */
const OTHER_FILE = /\.(bin|ckpt|h5|keras|pb|pth?|safetensors|tflite)$/i;

/** Of fine-tuning a backbone that has no recipe of its own. */
const TUNING_RECIPE: Recipe = { ...OWN_RECIPE, size: 224, epochs: 4, learningRate: 3e-4 };

/** Of pretrained backbones. Tried with EfficientNet-Lite0 only; no alternatives were compared. */
export const TRANSFER_DEFAULTS = {
  headEpochs: 60,
  unfreeze: 3,
  layerDecay: 0.8,
} as const satisfies Partial<Settings>;

/** Options that only pretrained backbones have. */
const OF_BACKBONES = [
  "headEpochs",
  "headLr",
  "headSchedule",
  "headOptimizer",
  "headMomentum",
  "headWeightDecay",
  "headBatch",
  "headAverageDecay",
  "headDropout",
  "featurePasses",
  "unfreeze",
  "layerDecay",
] as const;

/**
 * The model that the options name. Throws `unknown-model`, `invalid-option` where options do not go
 * together, and what reading the weights throws.
 */
export async function chosenModel(
  options: TrainOptions,
  context: Pick<TrainContext, "network" | "backbone">,
): Promise<ChosenModel> {
  const name = options.model ?? (context.network || context.backbone ? OWN : "cnn");
  const isFile = name === SHIPPED_MODEL || /\.onnx$/i.test(name);
  if (!isFile) refuseOfFiles(options);
  if (context.network || context.backbone) return ownModel(name, options, context);
  if (isFile) return onnxModel(name === SHIPPED_MODEL ? shippedModel() : name, options);
  if (OTHER_FILE.test(name))
    refuse(
      "model",
      name,
      `is "${name}", which is no ONNX file. Export the model as one (--model FILE.onnx), or name the network and give it this file by --weights`,
    );
  const entry = entryNamed<NetworkEntry | BackboneEntry>(name, [...NETWORKS, ...BACKBONES]);
  return isBackbone(entry)
    ? backboneModel(entry, options)
    : scratchModel(name, entry.recipe, options);
}

const isBackbone = (entry: NetworkEntry | BackboneEntry): entry is BackboneEntry =>
  "preprocessing" in entry;

function ownModel(
  name: string,
  options: TrainOptions,
  { network, backbone }: Pick<TrainContext, "network" | "backbone">,
): ChosenModel {
  const kind = network ? "network" : "backbone";
  if (name !== OWN || (network && backbone))
    refuse(
      "model",
      name,
      `is "${name}", but a ${kind} of your own is given too. Leave one of them out`,
    );
  if (!backbone) return scratchModel(OWN, OWN_RECIPE, options);
  refuseSources(options, "a backbone of your own brings its weights");
  return pretrained(OWN, TUNING_RECIPE, null, async () => backbone);
}

function scratchModel(name: string, recipe: Recipe, options: TrainOptions): ChosenModel {
  refuseSources(
    options,
    `${name} starts from scratch. Pretrained backbones are: ${BACKBONES.map((entry) => entry.name).join(", ")}`,
  );
  refuseStages(options, `${name} starts from scratch and has no frozen backbone`);
  return {
    name,
    recipe,
    defaults: {},
    weights: null,
    isPretrained: false,
    backbone: async () => undefined,
  };
}

function backboneModel(entry: BackboneEntry, options: TrainOptions): ChosenModel {
  const { name, recipe, preprocessing } = entry;
  refuseScaling(options, name);
  if (given(options.pretrained) && given(options.weights))
    refuse("weights", options.weights, "and option pretrained name weights both. Give one of them");
  const path = options.weights ?? (given(options.pretrained) ? pretrainedWeights(name) : undefined);
  const build = async ({ size, seed }: Settings) => {
    const weights = path === undefined ? undefined : await readWeights(path);
    const graph = backboneGraph({ ...entry, size }, { weights, withTop: false, seed });
    return { graph, preprocessing };
  };
  if (path === undefined) {
    refuseStages(
      options,
      `${name} starts from random weights here: give it weights (--pretrained imagenet or --weights FILE)`,
    );
    return { name, recipe, defaults: {}, weights: null, isPretrained: false, backbone: build };
  }
  return pretrained(name, recipe, weightFile(path, "weights"), build);
}

async function onnxModel(path: string, options: TrainOptions): Promise<ChosenModel> {
  refuseSources(options, "an ONNX file holds its weights");
  refuseScaling(options, "an ONNX file");
  const weights = weightFile(path, "model");
  const { size, defaults, backbone } = fileBackbone(await readModelFile(weights.path), options);
  const build = async (settings: Settings) => backbone(settings);
  return pretrained(ONNX, { ...TUNING_RECIPE, size }, weights, build, defaults);
}

function pretrained(
  name: string,
  recipe: Recipe,
  weights: WeightFile | null,
  backbone: ChosenModel["backbone"],
  own: Partial<Settings> = {},
): ChosenModel {
  const defaults = { ...TRANSFER_DEFAULTS, ...own };
  return { name, recipe, defaults, weights, isPretrained: true, backbone };
}

function weightFile(path: string, option: string): WeightFile {
  const absolute = resolve(path);
  if (!statSync(absolute, { throwIfNoEntry: false })?.isFile())
    throw new HilumError(
      "file-not-found",
      `Option ${option}: there is no file ${absolute}. Check the path.`,
      { option, path: absolute },
    );
  const sha256 = hash("sha256", readFileSync(absolute));
  return { path: absolute, sha256 };
}

const given = (value: unknown): boolean => value !== undefined && value !== null;

function refuseSources(options: TrainOptions, reason: string): void {
  for (const option of ["pretrained", "weights"] as const)
    if (given(options[option])) refuse(option, options[option], `does not go here: ${reason}`);
}

function refuseStages(options: TrainOptions, reason: string): void {
  for (const option of OF_BACKBONES)
    if (given(options[option]))
      refuse(option, options[option], `is for pretrained backbones, and ${reason}`);
}

function refuseOfFiles(options: TrainOptions): void {
  for (const option of ["featureLayer", "preprocessing"] as const)
    if (given(options[option]))
      refuse(option, options[option], "is for a model that is an ONNX file: --model FILE.onnx");
}

function refuseScaling(options: TrainOptions, name: string): void {
  for (const option of ["width", "depth"] as const)
    if (given(options[option]) && options[option] !== 1)
      refuse(option, options[option], `does not go with ${name}, whose weights have their shapes`);
}

function refuse(option: string, value: unknown, problem: string): never {
  throw new HilumError("invalid-option", `Option ${option} ${problem}.`, { option, value });
}
