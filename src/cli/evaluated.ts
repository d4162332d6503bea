/** What `evaluate` evaluates: a model on films, or a file of predictions. */
import { existsSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { type Classifier, loadClassifier } from "../classifier/index.node.ts";
import { type OpenOptions, openDataset, type Sample } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import {
  type Circumstances,
  evaluate,
  evaluatePredictions,
  type Prediction,
  predictionSetOf,
  type Report,
  readPredictions,
  reportOf,
  statedThreshold,
  withSplit,
} from "../evaluation/index.ts";
import { weightsDigest } from "../onnx/index.node.ts";
import type { RunFolder } from "../training/index.ts";
import { type CommandContext, text } from "./command.ts";
import { robustnessOf } from "./corrupted.ts";
import { progressBar } from "./progress.ts";
import { validationFor } from "./validated.ts";

export interface Evaluated {
  readonly report: Report;
  /** The JSON object. */
  readonly result: object;
  /** Of each film that could not be read. */
  readonly leftOut: readonly string[];
}

type Options = Readonly<Record<string, unknown>>;

/** Throws `invalid-option` unless exactly one of the two is asked for. */
export async function evaluated(
  model: string | undefined,
  options: Options,
  context: CommandContext,
): Promise<Evaluated> {
  const predictions = text(options.predictions);
  if (model !== undefined && predictions !== undefined)
    refuse("predictions", "Give a model or --predictions, not both.");
  if (predictions !== undefined && options.robustness === true)
    refuse("robustness", "Option --robustness needs a model that reads films, not --predictions.");
  if (predictions !== undefined) return predictionsEvaluated(predictions, options);
  if (model === undefined)
    refuse("model", "Give a model (a run folder or an .onnx file), or --predictions FILE.");
  if (options.data === undefined)
    refuse("--data", "Give the labelled films that the model is to be held against: --data DIR.");
  return modelEvaluated(model, options, context);
}

function refuse(option: string, message: string): never {
  throw new HilumError("invalid-option", message, { option });
}

function analysisOf({ subgroup, prevalence }: Options) {
  return {
    subgroups: subgroup as readonly string[] | undefined,
    prevalence: prevalence as number | undefined,
  };
}

const thresholdOf = ({ threshold }: Options): number | undefined =>
  threshold === undefined ? undefined : statedThreshold(String(threshold));

async function predictionsEvaluated(file: string, options: Options): Promise<Evaluated> {
  const threshold = thresholdOf(options);
  const split = text(options.split);
  const whole = await readPredictions(file, { positive: text(options.positive) });
  const set = split === undefined ? whole : withSplit(whole, split);
  const evaluation = evaluatePredictions(set.predictions, set.task, {
    threshold,
    patients: set.patients,
  });
  const folder = dirname(resolve(file));
  const pathOf = (index: number) => {
    const path = resolve(folder, set.keys[index]!);
    return existsSync(path) ? path : null;
  };
  const hasFilms = set.keys.slice(0, 20).some((_, index) => pathOf(index) !== null);
  const report = reportOf(set, evaluation, {
    title: `Evaluation of ${basename(file)}`,
    facts: [
      ["predictions", basename(file)],
      ...(split === undefined ? [] : [["split", split] as const]),
      [
        "operating point",
        threshold === undefined ? "0.5, as nothing else was stated" : `${threshold}, as stated`,
      ],
    ],
    pathOf: hasFilms ? pathOf : undefined,
    hasImages: options.images !== false,
    analysis: analysisOf(options),
  });
  const { warnings, analysis } = report;
  return {
    report,
    result: {
      predictions: file,
      split: split ?? null,
      ...evaluation,
      ...analysis,
      shift: report.shift,
      uncertainBand: report.uncertainBand,
      robustness: report.robustness,
      warnings,
      problems: [],
    },
    leftOut: [],
  };
}

async function modelEvaluated(
  model: string,
  options: Options,
  context: CommandContext,
): Promise<Evaluated> {
  const { signal } = context;
  const threshold = thresholdOf(options);
  const run = await runOf(model);
  const dataset = await openDataset(String(options.data), {
    ...patternsOf(run),
    ...(options.patientPattern ? { patientPattern: text(options.patientPattern) } : {}),
    ...(options.labelPattern ? { labelPattern: text(options.labelPattern) } : {}),
  });
  const classifier = await loadClassifier(model, {
    threads: options.threads as number | undefined,
  });
  const bar = progressBar("evaluating");
  try {
    const { evaluation, split, samples, predictions, problems } = await evaluate(
      classifier,
      dataset,
      {
        split: text(options.split),
        threshold,
        isStrict: options.strict === true,
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      },
    );
    bar.stop();
    const set = predictionSetOf(samples, predictions, classifier.metadata.task);
    const hasImages = options.images !== false;
    const seen = run ? await seenByRun(run, samples) : {};
    const robustness =
      options.robustness === true
        ? await robustnessOf(classifier, filmsOf(samples, predictions), threshold, context)
        : undefined;
    const validation = await validationFor(
      run,
      samples.map(({ path }) => path),
    );
    const report = reportOf(set, evaluation, {
      title: `Evaluation of ${nameOf(classifier)}`,
      facts: [
        ...modelFacts(classifier, threshold),
        ["films", basename(dataset.root)],
        ["split", split ?? "all films"],
      ],
      circumstances: {
        ...seen,
        leftOut: problems.length,
        leaks: classifier.metadata.provenance.validationLeaks as readonly string[] | undefined,
      },
      learningCurves: run?.read("curves")
        ? Buffer.from(run.read("curves")!).toString("utf8")
        : undefined,
      pathOf: (index) => samples[index]!.path,
      hasImages,
      analysis: analysisOf(options),
      validation,
      robustness,
    });
    const { warnings, analysis } = report;
    const shownProblems = hasImages
      ? problems
      : problems.map(({ code, severity }) => ({ code, severity }));
    return {
      report,
      result: {
        model: classifier.path,
        split,
        ...evaluation,
        ...analysis,
        shift: report.shift,
        uncertainBand: report.uncertainBand,
        robustness: report.robustness,
        warnings,
        problems: shownProblems,
      },
      leftOut: problems.map(({ message }) => message),
    };
  } finally {
    bar.stop();
    await classifier.close();
  }
}

const filmsOf = (samples: readonly Sample[], predictions: readonly Prediction[]) =>
  samples.map(({ path }, index) => ({ path, target: predictions[index]!.target }));

/** The run that a model lies in; a model away from its run tells nothing of it. */
export async function runOf(model: string): Promise<RunFolder | undefined> {
  const { RUN_FILES, runFolder } = await import("../training/index.ts");
  const folder = runFolder(basename(model) === RUN_FILES.model ? dirname(model) : model);
  return folder.state() === "absent" ? undefined : folder;
}

/** How a run's own data named patients and classes. */
export function patternsOf(
  run: RunFolder | undefined,
): Pick<OpenOptions, "patientPattern" | "labelPattern"> {
  if (!run) return {};
  const { patientPattern, labelPattern } = run.config().settings;
  return { patientPattern: patientPattern ?? undefined, labelPattern: labelPattern ?? undefined };
}

/** How many of the films the run was trained on, or chose its epoch by. */
async function seenByRun(run: RunFolder, samples: readonly Sample[]): Promise<Circumstances> {
  const { filmsSeenBy } = await import("../training/index.ts");
  return filmsSeenBy(
    run,
    samples.map(({ path }) => path),
  );
}

const nameOf = ({ path }: Classifier): string =>
  basename(path) === "model.onnx" ? basename(dirname(resolve(path))) : basename(path);

function modelFacts(
  { path, model, metadata }: Classifier,
  threshold: number | undefined,
): (readonly [string, string])[] {
  const { operatingPoint, provenance } = metadata;
  const rule =
    threshold !== undefined
      ? `${threshold}, as stated`
      : operatingPoint
        ? `${operatingPoint.threshold.toFixed(4)}: ${operatingPoint.rule}`
        : "0.5, as the model has none of its own";
  return [
    ["model", relative(process.cwd(), path)],
    ["weights", `sha256 ${weightsDigest(model.graph)}`],
    ...(metadata.task.kind === "classes" && metadata.task.positive === null
      ? []
      : [["operating point", rule] as const]),
    ...(typeof provenance.trainingImages === "number"
      ? [["trained on", `${provenance.trainingImages} films`] as const]
      : []),
  ];
}
