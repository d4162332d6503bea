import { availableParallelism } from "node:os";
import { NOTICE } from "../../classifier/index.ts";
import { AUGMENTATIONS } from "../../datasets/index.ts";
import { NORMALIZATIONS } from "../../images/index.ts";
import { NETWORKS, networkEntry } from "../../models/index.ts";
import {
  type FoldsResult,
  type RunResult,
  type TrainEvent,
  type TrainOptions,
  train,
  trainFolds,
} from "../../training/index.ts";
import { type CommandDefinition, greyWindow, number, text } from "../command.ts";
import type { Output } from "../output.ts";
import { duration, progressBar } from "../progress.ts";
import { table } from "../table.ts";

/** Options that training takes under the same name. */
const SETTING_OPTIONS = [
  {
    flags: "--model <name>",
    description: `network: ${NETWORKS.map(({ name }) => name).join(", ")} (default: cnn)`,
  },
  { flags: "--epochs <n>", description: "epochs (default: the network's recipe)", parse: number },
  { flags: "--size <pixels>", description: "side of the square input", parse: number },
  { flags: "--batch <n>", description: "images of a step", parse: number },
  {
    flags: "--micro-batches <n>",
    description: "batches whose gradients are summed for a step",
    parse: number,
  },
  { flags: "--lr <rate>", description: "learning rate", parse: number },
  { flags: "--optimizer <name>", description: "optimizer", choices: ["sgd", "adam", "adamw"] },
  { flags: "--momentum <share>", description: "momentum of sgd", parse: number },
  { flags: "--weight-decay <share>", description: "decoupled weight decay", parse: number },
  { flags: "--clip-norm <norm>", description: "longest gradient (default: 5)", parse: number },
  {
    flags: "--schedule <name>",
    description: "learning-rate schedule (default: cosine)",
    choices: ["constant", "step", "cosine", "onecycle", "plateau"],
  },
  { flags: "--warmup <epochs>", description: "epochs of linear warm-up", parse: number },
  {
    flags: "--average-decay <share>",
    description: "keep a moving average of the weights, e.g. 0.999",
    parse: number,
  },
  { flags: "--width <factor>", description: "factor on the network's channels", parse: number },
  { flags: "--depth <factor>", description: "factor on the network's blocks", parse: number },
  { flags: "--loss <name>", description: "loss", choices: ["cross-entropy", "focal"] },
  { flags: "--label-smoothing <share>", description: "label smoothing", parse: number },
  {
    flags: "--balance <how>",
    description: "class imbalance",
    choices: ["none", "weights", "sampling"],
  },
  {
    flags: "--augmentation <name>",
    description: "augmentation preset",
    choices: Object.keys(AUGMENTATIONS),
  },
  { flags: "--mixup <alpha>", description: "strength of mixup, 0 for none", parse: number },
  {
    flags: "--normalization <name>",
    description: "grey levels: per image, or -1 to 1",
    choices: NORMALIZATIONS,
  },
  {
    flags: "--fit <how>",
    description: "how films become square (default: squash)",
    choices: ["squash", "pad"],
  },
  {
    flags: "--window <center,width>",
    description: "grey window of 16-bit films",
    parse: greyWindow,
  },
  {
    flags: "--metric <name>",
    description: "validation metric that chooses the best epoch (default: auroc)",
  },
  {
    flags: "--patience <epochs>",
    description: "stop after so many epochs without improvement, 0 for never",
    parse: number,
  },
  { flags: "--seed <n>", description: "seed of everything random (default: 1)", parse: number },
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
    flags: "--patient-pattern <regex>",
    description: "the patient in a file name: first group or whole match",
  },
  {
    flags: "--label-pattern <regex>",
    description: "the class in a file name, e.g. '_(bacteria|virus)_'; else the folder's",
  },
  { flags: "--positive <class>", description: "the positive of two classes" },
  {
    flags: "--threads <n>",
    description: `threads (default: ${availableParallelism()}, all there are)`,
    parse: number,
  },
] as const;

export const TRAIN: CommandDefinition = {
  name: "train",
  summary: "Train a classifier on a folder of films",
  operands: [
    { name: "<dir>", description: "CLASS/*, split/CLASS/*, or a folder with manifest.csv" },
  ],
  options: [
    { flags: "--out <folder>", description: "the run's folder", isRequired: true },
    {
      flags: "--resume",
      description: "go on with the run in --out; starts it where there is none",
    },
    ...SETTING_OPTIONS,
    { flags: "--freeze <regex...>", description: "parameters that do not train, by name" },
    {
      flags: "--allow-leaks",
      description: "train although patients or copies cross into validation (recorded)",
    },
    { flags: "--strict", description: "stop at the first file that cannot be read" },
    {
      flags: "--cache <folder>",
      description: "where decoded films are kept (default: HILUM_CACHE)",
    },
    { flags: "--preview", description: "write a sheet of augmented samples into the run" },
  ],
  examples: [
    "hilum train chest_xray --model cnn --out runs/cnn",
    "hilum train chest_xray --model residual --out runs/residual --resume",
    "hilum train chest_xray --label-pattern '_(bacteria|virus)_' --out runs/three",
    "hilum train chest_xray --model depthwise --folds 5 --out runs/folds --json",
  ],
  async run([dir], options, { output, signal }) {
    networkEntry(text(options.model) ?? "cnn");
    const { out, resume, cache, strict, preview, ...settings } = options;
    const reporter = trainReporter(output);
    const isEveryFold = options.folds !== undefined && options.fold === undefined;
    try {
      const result = await (isEveryFold ? trainFolds : train)(
        String(dir),
        settings as TrainOptions,
        {
          out: String(out),
          isResumed: resume === true,
          cacheFolder: text(cache),
          isStrict: strict === true,
          hasPreview: preview === true,
          signal,
          onEvent: reporter.onEvent,
        },
      );
      reporter.stop();
      output.result(result);
      output.print(`${resultTable(result)}\n\n${NOTICE}`);
      return 0;
    } finally {
      reporter.stop();
    }
  },
};

/** Bars for steps and caching, a line for each epoch. */
export function trainReporter(output: Output): { onEvent(event: TrainEvent): void; stop(): void } {
  let bar: ReturnType<typeof progressBar> | undefined;
  let doing = "";
  const barFor = (title: string) => {
    if (title !== doing) {
      bar?.stop();
      bar = progressBar(title);
      doing = title;
    }
    return bar!;
  };
  return {
    stop: () => bar?.stop(),
    onEvent(event) {
      if (event.kind === "caching") barFor("decoding films").update(event.done, event.total);
      else if (event.kind === "step") {
        barFor(`epoch ${event.epoch}`).update(event.step, event.steps, stepNote(event));
      } else if (event.kind === "epoch") {
        barFor("validating").stop();
        output.note(epochLine(event));
      } else if (event.kind === "problem")
        output.note(`${event.problem.severity}: ${event.problem.message}`);
      else if (event.kind === "fold") output.note(`fold ${event.fold} of ${event.folds}`);
      else if (event.kind === "started") {
        const { train: films, validation, parameters, resumedAt } = event;
        if (resumedAt)
          output.note(`resuming in epoch ${resumedAt.epoch} after step ${resumedAt.step}`);
        output.note(
          `${films} training and ${validation} validation films, ${parameters.toLocaleString("en")} parameters`,
        );
      }
    },
  };
}

type StepEvent = Extract<TrainEvent, { kind: "step" }>;

function stepNote({ loss, metric, imagesPerSecond, secondsLeft }: StepEvent): string {
  return [
    `loss ${loss.toFixed(4)}`,
    ...(metric.value === null ? [] : [`${metric.name} ${metric.value.toFixed(4)}`]),
    `${imagesPerSecond.toFixed(1)} images/s`,
    `${duration(secondsLeft)} left`,
  ].join("  ");
}

function epochLine({ record, metric, isBest }: Extract<TrainEvent, { kind: "epoch" }>): string {
  const { epoch, loss, valLoss, metrics, seconds, imagesPerSecond } = record;
  const named = ["accuracy", "sensitivity", "specificity", "auroc", "aurocMacro", metric];
  const shown = [...new Set(named)].flatMap((key) =>
    typeof metrics[key] === "number" ? [`${key} ${metrics[key].toFixed(4)}`] : [],
  );
  const losses = `loss ${loss.toFixed(4)}  validation ${valLoss?.toFixed(4) ?? "–"}`;
  return `epoch ${epoch}  ${losses}  ${shown.join("  ")}  ${imagesPerSecond.toFixed(1)} images/s  ${duration(seconds)}${isBest ? "  best" : ""}`;
}

function resultTable(result: RunResult | FoldsResult): string {
  const { run, model, bestEpoch, metrics } = result;
  const spread = (key: string): string => {
    const deviation = "deviations" in result ? result.deviations[key] : null;
    return typeof deviation === "number" ? ` ± ${deviation.toFixed(4)}` : "";
  };
  const values = Object.entries(metrics).map(([key, value]): [string, string] => [
    key,
    value === null ? "not defined" : `${value.toFixed(4)}${spread(key)}`,
  ]);
  const chosen: [string, string | number][] =
    model === null
      ? []
      : [
          ["model", model],
          ["best epoch", bestEpoch],
        ];
  return table([["run", run], ...chosen, ...values]);
}
