/** Options of `hilum train`, in the groups that its help shows. */
import { availableParallelism } from "node:os";
import { AUGMENTATIONS } from "../datasets/index.ts";
import { NORMALIZATIONS } from "../images/index.ts";
import { BACKBONES, NETWORKS } from "../models/index.ts";
import {
  MLFLOW_EXPERIMENT,
  PREPROCESSINGS,
  SCHEDULES,
  TRANSFER_DEFAULTS,
} from "../training/index.ts";
import { type CommandOption, greyWindow, number, numberOrAll, numberOrNone } from "./command.ts";

/** Where the recipe of the network says what is taken. */
const RECIPE = "default: the network's recipe";

const RUN: readonly CommandOption[] = [
  { flags: "--out <folder>", description: "the run's folder", isRequired: true },
  {
    flags: "--resume",
    description: "go on with the run in --out; start it where there is none",
  },
  { flags: "--preview", description: "write a sheet of augmented samples into the run" },
  { flags: "--seed <n>", description: "seed of everything random (default: 1)", parse: number },
  {
    flags: "--threads <n>",
    description: `threads; part of what makes two runs equal (default: ${availableParallelism()}, all there are)`,
    parse: number,
  },
];

const NETWORK: readonly CommandOption[] = [
  {
    flags: "--model <name>",
    description: `from scratch: ${NETWORKS.map(({ name }) => name).join(", ")}; pretrained: ${BACKBONES.map(({ name }) => name).join(", ")}, an ONNX file, or pneumonia, the shipped model (default: cnn)`,
  },
  {
    flags: "--width <factor>",
    description: "factor on the network's channels (default: 1)",
    parse: number,
  },
  {
    flags: "--depth <factor>",
    description: "factor on the network's blocks (default: 1)",
    parse: number,
  },
  {
    flags: "--freeze <regex...>",
    description: "parameters that do not train, by name (see inspect)",
  },
];

const PRETRAINED: readonly CommandOption[] = [
  {
    flags: "--pretrained <name>",
    description: "published weights, pulled beforehand (hilum backbones pull)",
    choices: ["imagenet"],
  },
  { flags: "--weights <file>", description: "weights of the backbone instead, from a file" },
  {
    flags: "--feature-layer <name>",
    description: "node or value of an ONNX file that holds the features (default: found by itself)",
  },
  {
    flags: "--preprocessing <name>",
    description: "how an ONNX file's publisher prepares pixels, in Keras' words (default: torch)",
    choices: PREPROCESSINGS,
  },
  {
    flags: "--head-epochs <n>",
    description: `longest training of the head on frozen features; 0 for none (default: ${TRANSFER_DEFAULTS.headEpochs}; it stops by itself)`,
    parse: number,
  },
  {
    flags: "--head-lr <rate>",
    description: "learning rate of the head on its own (default: 0.004)",
    parse: number,
  },
  {
    flags: "--head-schedule <name>",
    description: "how that rate changes over --head-epochs (default: constant)",
    choices: SCHEDULES,
  },
  {
    flags: "--head-optimizer <name>",
    description: "optimizer of the head on its own (default: adamw)",
    choices: ["sgd", "adamw"],
  },
  {
    flags: "--head-momentum <share>",
    description: "momentum of sgd there (default: 0.9)",
    parse: number,
  },
  {
    flags: "--head-weight-decay <share>",
    description: "decoupled, of the head on its own (default: 0.5)",
    parse: number,
  },
  {
    flags: "--head-batch <n>",
    description: "features of a batch there (default: 64)",
    parse: number,
  },
  {
    flags: "--head-average-decay <share>",
    description: "use a moving average of the head's weights there; 0 for none (default: 0.95)",
    parse: number,
  },
  {
    flags: "--head-dropout <share>",
    description: "features dropped before the head, there and in fine-tuning (default: 0.2)",
    parse: number,
  },
  {
    flags: "--feature-passes <n>",
    description: "augmented passes over the films whose features are cached for it (default: 0)",
    parse: number,
  },
  {
    flags: "--unfreeze <blocks>",
    description: `blocks from the top that the following --epochs train, or all (default: ${TRANSFER_DEFAULTS.unfreeze})`,
    parse: numberOrAll,
  },
  {
    flags: "--layer-decay <factor>",
    description: `factor on the rate from each block to the one below (default: ${TRANSFER_DEFAULTS.layerDecay})`,
    parse: number,
  },
];

const FILMS: readonly CommandOption[] = [
  {
    flags: "--size <pixels>",
    description: `side of the square input (${RECIPE})`,
    parse: number,
  },
  {
    flags: "--fit <how>",
    description: "how films become square (default: squash)",
    choices: ["squash", "pad"],
  },
  {
    flags: "--normalization <name>",
    description:
      "grey levels: each film to mean 0 and deviation 1 (after cutting its percentiles or equalizing its histogram, if you like), or -1 to 1 (default: standardize)",
    choices: NORMALIZATIONS,
  },
  {
    flags: "--window <center,width>",
    description: "grey window of 16-bit films (default: their percentiles)",
    parse: greyWindow,
  },
  {
    flags: "--augmentation <name>",
    description: `random changes of the training films (${RECIPE})`,
    choices: Object.keys(AUGMENTATIONS),
  },
  {
    flags: "--mixup <alpha>",
    description: "blend pairs of films; 0 for none (default: 0)",
    parse: number,
  },
];

const LEARNING: readonly CommandOption[] = [
  {
    flags: "--epochs <n>",
    description: `epochs; 0 trains the head of a pretrained backbone alone (${RECIPE})`,
    parse: number,
  },
  { flags: "--batch <n>", description: `films of a batch (${RECIPE})`, parse: number },
  {
    flags: "--micro-batches <n>",
    description: "batches whose gradients make one step together (default: 1)",
    parse: number,
  },
  {
    flags: "--lr <rate>",
    description: `learning rate, or auto for what lr-find suggests (${RECIPE})`,
    parse: (given) => (given === "auto" ? given : number(given)),
  },
  {
    flags: "--schedule <name>",
    description:
      "how the rate changes; plateau: to a third when --metric stands still (default: cosine)",
    choices: SCHEDULES,
  },
  {
    flags: "--warmup <epochs>",
    description: "epochs in which the rate rises to its value (default: 1)",
    parse: number,
  },
  {
    flags: "--optimizer <name>",
    description: `optimizer (${RECIPE})`,
    choices: ["sgd", "adam", "adamw"],
  },
  { flags: "--momentum <share>", description: "momentum of sgd (default: 0.9)", parse: number },
  {
    flags: "--weight-decay <share>",
    description: `decoupled; never on biases and norms (${RECIPE})`,
    parse: number,
  },
  {
    flags: "--clip-norm <norm>",
    description: "longest gradient, or none for any length (default: 5)",
    parse: numberOrNone,
  },
  {
    flags: "--average-decay <share>",
    description: `use a moving average of the weights, e.g. 0.999 (${RECIPE})`,
    parse: number,
  },
  {
    flags: "--loss <name>",
    description: "loss (default: cross-entropy)",
    choices: ["cross-entropy", "focal"],
  },
  {
    flags: "--label-smoothing <share>",
    description: "share of certainty taken from the labels (default: 0)",
    parse: number,
  },
  {
    flags: "--balance <how>",
    description:
      "against unequal classes: weigh rare ones more, or draw them more often (default: none)",
    choices: ["none", "weights", "sampling"],
  },
];

const CHOICE: readonly CommandOption[] = [
  {
    flags: "--metric <name>",
    description:
      "validation metric that chooses the best epoch (default: auroc; aurocMacro with several classes or findings)",
  },
  {
    flags: "--patience <epochs>",
    description: "stop after so many epochs without improvement (default: 0, never)",
    parse: number,
  },
  {
    flags: "--val-fraction <share>",
    description: "patients held out for validation (default: 0.15)",
    parse: number,
  },
  {
    flags: "--folds <k>",
    description: "train k models by k-fold cross-validation, or with --fold one of them",
    parse: number,
  },
  { flags: "--fold <n>", description: "which fold, from 1", parse: number },
  {
    flags: "--fold-by <column>",
    description:
      "with --folds: hold out whole values of a manifest's column, e.g. cluster (see hilum cluster)",
  },
];

const DATA: readonly CommandOption[] = [
  {
    flags: "--manifest <file>",
    description: "labels, patients and further columns of the films in <dir> (default: its own)",
  },
  {
    flags: "--patient-pattern <regex>",
    description: "the patient in a file name: first group or whole match",
  },
  {
    flags: "--label-pattern <regex>",
    description: "the class in a file name, e.g. '_(bacteria|virus)_'; else the folder's",
  },
  { flags: "--positive <class>", description: "the positive of two classes" },
  {
    flags: "--allow-leaks",
    description: "train although patients or copies cross into validation (recorded)",
  },
  { flags: "--strict", description: "stop at the first file that cannot be read" },
  { flags: "--cache <folder>", description: "where decoded films are kept (default: HILUM_CACHE)" },
];

const grouped = (group: string, options: readonly CommandOption[]): readonly CommandOption[] =>
  options.map((option) => ({ ...option, group }));

export const TRAIN_OPTIONS: readonly CommandOption[] = [
  ...grouped("The run:", RUN),
  ...grouped("The network:", NETWORK),
  ...grouped("A pretrained backbone:", PRETRAINED),
  ...grouped("Films:", FILMS),
  ...grouped("Learning:", LEARNING),
  ...grouped("Validation:", CHOICE),
  ...grouped("The data set:", DATA),
];

/** Of `hilum train` and `tune`. */
export const TRACKING_OPTIONS: readonly CommandOption[] = grouped("An MLflow server:", [
  {
    flags: "--mlflow <url>",
    description:
      "send settings, metrics by epoch and the outcome to it, e.g. http://127.0.0.1:5000; no file names, no patients",
  },
  {
    flags: "--mlflow-experiment <name>",
    description: `experiment of the run there, made if need be (default: ${MLFLOW_EXPERIMENT})`,
  },
]);

/** What "the network's recipe" is, network by network. */
export const RECIPES = `
Recipes:
${[...NETWORKS, ...BACKBONES]
  .map(({ name, recipe }) => {
    const { epochs, size, batch, optimizer, learningRate, weightDecay, augmentation } = recipe;
    const average = recipe.averageDecay ? ` --average-decay ${recipe.averageDecay}` : "";
    return `  ${name.padEnd(18)} --epochs ${epochs} --size ${size} --batch ${batch} --optimizer ${optimizer} --lr ${learningRate} --weight-decay ${weightDecay} --augmentation ${augmentation}${average}`;
  })
  .join("\n")}
`;
