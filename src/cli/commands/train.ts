import { NOTICE } from "../../classifier/index.ts";
import {
  type FoldsResult,
  type OnTrainEvent,
  type RunResult,
  type TrainEvent,
  type TrainOptions,
  train,
  trainFolds,
  withFoundRate,
  withMlflow,
} from "../../training/index.ts";
import { type CommandDefinition, text } from "../command.ts";
import type { Output } from "../output.ts";
import { duration, progressBar, progressBars } from "../progress.ts";
import { table } from "../table.ts";
import { trackingOf } from "../tracking.ts";
import { RECIPES, TRACKING_OPTIONS, TRAIN_OPTIONS } from "../train-options.ts";

export const TRAIN: CommandDefinition = {
  name: "train",
  summary: "Train a classifier on a folder of films",
  operands: [
    { name: "<dir>", description: "CLASS/*, split/CLASS/*, or a folder with manifest.csv" },
  ],
  options: [...TRAIN_OPTIONS, ...TRACKING_OPTIONS],
  notes: RECIPES,
  examples: [
    "hilum train chest_xray --model cnn --out runs/cnn",
    "hilum train chest_xray --model residual --out runs/residual --resume",
    "hilum train chest_xray --label-pattern '_(bacteria|virus)_' --out runs/three",
    "hilum train chest_xray --model efficientnet-lite0 --weights FILE.safetensors --out runs/lite",
    "hilum train chest_xray --model ./mine.onnx --epochs 0 --out runs/head",
    "hilum train our_films --model pneumonia --out runs/ours",
    "hilum train chest_xray --model depthwise --folds 5 --out runs/folds --json",
    "hilum train chest_xray --manifest clusters.jsonl --folds 4 --fold-by cluster --out runs/clusters",
    "hilum train chest_xray --out runs/cnn --mlflow http://127.0.0.1:5000",
  ],
  async run([dir], options, { output, signal }) {
    const { out, resume, cache, strict, preview, mlflow, mlflowExperiment, ...settings } = options;
    const reporter = trainReporter(output);
    const isEveryFold = options.folds !== undefined && options.fold === undefined;
    try {
      const follow = followed({ mlflow, mlflowExperiment }, output);
      const where = { out: String(out), cacheFolder: text(cache), signal };
      const result = await follow(async (onEvent) => {
        const trained = await settled(String(dir), settings, where, output);
        return (isEveryFold ? trainFolds : train)(String(dir), trained, {
          out: String(out),
          isResumed: resume === true,
          cacheFolder: text(cache),
          isStrict: strict === true,
          hasPreview: preview === true,
          signal,
          onEvent(event) {
            reporter.onEvent(event);
            onEvent(event);
          },
        });
      });
      reporter.stop();
      output.result(result);
      output.print(`${resultTable(result)}\n\n${NOTICE}`);
      return 0;
    } finally {
      reporter.stop();
    }
  },
};

type Work = (onEvent: OnTrainEvent) => Promise<RunResult | FoldsResult>;

/** Does the work as it is, or with an MLflow server that is told of it. */
function followed(
  given: Readonly<Record<"mlflow" | "mlflowExperiment", unknown>>,
  output: Output,
): (work: Work) => Promise<RunResult | FoldsResult> {
  const tracking = trackingOf(given, output);
  return (work) => (tracking ? withMlflow(tracking, work) : work(() => {}));
}

/** `--lr auto` as the rate that a range test finds. */
async function settled(
  dir: string,
  { lr, ...settings }: Readonly<Record<string, unknown>>,
  context: { out: string; cacheFolder: string | undefined; signal: AbortSignal },
  output: Output,
): Promise<TrainOptions> {
  if (lr !== "auto") return { ...settings, ...(lr === undefined ? {} : { lr }) } as TrainOptions;
  const bar = progressBar("finding a rate");
  const onProgress = (_: string, done: number, total: number) => bar.update(done, total);
  try {
    const found = await withFoundRate(dir, settings as TrainOptions, { ...context, onProgress });
    output.note(`learning rate ${found.lr}`);
    return found;
  } finally {
    bar.stop();
  }
}

/** Bars for steps and caching, a line for each epoch. */
export function trainReporter(output: Output): { onEvent(event: TrainEvent): void; stop(): void } {
  const { update, stop } = progressBars();
  return {
    stop,
    onEvent(event) {
      if (event.kind === "caching") update("decoding films", event.done, event.total);
      else if (event.kind === "features") update("features", event.done, event.total);
      else if (event.kind === "headEpoch")
        update("head", event.record.epoch, event.epochs, headNote(event));
      else if (event.kind === "head") {
        stop();
        output.note(headLine(event));
      } else if (event.kind === "step") {
        update(`epoch ${event.epoch}`, event.step, event.steps, stepNote(event));
      } else if (event.kind === "epoch") {
        stop();
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

function headNote({ record }: Extract<TrainEvent, { kind: "headEpoch" }>): string {
  const { loss, valLoss } = record;
  return `loss ${loss.toFixed(4)}  validation ${valLoss?.toFixed(4) ?? "–"}`;
}

function headLine({ bestEpoch, epochs, metric }: Extract<TrainEvent, { kind: "head" }>): string {
  const value = metric.value === null ? "" : `  ${metric.name} ${metric.value.toFixed(4)}`;
  return `head on frozen features  ${epochs} epochs, best ${bestEpoch}${value}`;
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
