/** The report of a model on labelled films, with what its run knows of them. */
import { hash } from "node:crypto";
import { basename, dirname, relative, resolve } from "node:path";
import {
  type Classifier,
  type ExplanationMethod,
  loadClassifier,
  openExplainer,
} from "../classifier/index.node.ts";
import { type Dataset, type DatasetProblem, openDataset, type Samples } from "../datasets/index.ts";
import {
  type AnalysisOptions,
  type DatasetEvaluation,
  estimateFaithfulness,
  evaluate,
  explainedFilms,
  faithfulness,
  type PredictionSet,
  predictionSetOf,
  type Report,
  type ReportedFaithfulness,
  type RobustnessEstimate,
  reportOf,
  withShapes,
} from "../evaluation/index.ts";
import { weightsDigest } from "../onnx/index.node.ts";
import { digestsOf, filmsSeenBy } from "./run-films.ts";
import { RUN_FILES, type RunFolder } from "./run-folder.ts";
import {
  type NamePatterns,
  runOfModel,
  statedPatterns,
  statedReference,
  validationFor,
} from "./run-of-model.ts";
import { sayEstimate, spoiltReadings } from "./spoilt-films.ts";

export interface ReportModelOptions
  extends Pick<AnalysisOptions, "subgroups" | "columnPatterns" | "prevalence">,
    NamePatterns {
  /** By default the test part where there is one, else everything. */
  readonly split?: string | undefined;
  /** By default the model's own operating point. */
  readonly threshold?: number | undefined;
  /** False leaves out films, paths and patients. */
  readonly hasImages?: boolean | undefined;
  /** Folder of films to hold these against, in the place of the run's validation films. */
  readonly reference?: string | undefined;
  /** Also reads the films spoilt in every way. */
  readonly isRobustnessWanted?: boolean | undefined;
  /** Also tries heat maps on so many films. */
  readonly faithfulness?: FaithfulnessWanted | undefined;
  /** Of more films than this a draw is spoilt, each class with its share; by default all are. */
  readonly robustnessFilms?: number | undefined;
  /** Throws at the first film that cannot be read. */
  readonly isStrict?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the spoilt films will take, before anything else. */
  readonly onEstimate?: ((estimate: RobustnessEstimate) => void) | undefined;
  /** How long heat maps of so many films will take, before any is tried. */
  readonly onHeatMaps?: ((estimate: HeatMapEstimate) => void) | undefined;
  readonly onProgress?: ((progress: ReportProgress) => void) | undefined;
}

export interface FaithfulnessWanted {
  /** At most: of those that the model calls the class for which the maps speak. */
  readonly films: number;
  /** By default the model's own, else Grad-CAM. */
  readonly methods?: readonly ExplanationMethod[] | undefined;
}

export interface HeatMapEstimate {
  readonly films: number;
  readonly methods: readonly ExplanationMethod[];
  readonly seconds: number;
}

export interface ReportProgress {
  readonly work: "evaluating" | "spoiling films" | "trying heat maps";
  readonly done: number;
  readonly total: number;
}

export interface ModelReport {
  readonly report: Report;
  /** File of the model. */
  readonly model: string;
  /** SHA-256 of the model's weights. */
  readonly weights: string;
  readonly data: EvaluatedData;
  readonly split: string | null;
  /** Of films that were left out. */
  readonly problems: readonly DatasetProblem[];
  /** Without the films that the model's gate rejects; null where it has no gate. */
  readonly assessed: DatasetEvaluation["assessed"];
}

/** Which films were evaluated. */
export interface EvaluatedData {
  readonly name: string;
  readonly split: string | null;
  /** SHA-256 of the films' contents and labels, whatever the files are called and wherever they lie. */
  readonly sha256: string;
}

const digestOf = (samples: Samples, digests: readonly string[]): string =>
  hash(
    "sha256",
    samples
      .map(({ target }, film) => `${digests[film]} ${target}\n`)
      .sort()
      .join(""),
  );

/**
 * The report of a run folder's model, or of an .onnx file, on a folder of films. Patterns are by
 * default those of the run. Throws what opening, loading, `evaluate` and `robustness` throw.
 */
export async function reportModel(
  model: string,
  data: string,
  options: ReportModelOptions = {},
): Promise<ModelReport> {
  const run = runOfModel(model);
  const patterns = statedPatterns(run, options);
  const dataset = await openDataset(data, patterns);
  await using classifier = await loadClassifier(model, {
    threads: options.threads,
    isUncalibratedWanted: true,
  });
  if (options.isRobustnessWanted) await sayEstimate(model, dataset, options);
  if (options.faithfulness) await refuseMethods(classifier, options.faithfulness);
  const evaluated = await evaluate(classifier, dataset, {
    split: options.split,
    threshold: options.threshold,
    isStrict: options.isStrict,
    signal: options.signal,
    onProgress: (progress) => options.onProgress?.({ work: "evaluating", ...progress }),
  });
  const { split, problems, assessed } = evaluated;
  const digests = await digestsOf(pathsOf(evaluated.samples));
  const report = await composed(
    { run, dataset, patterns, classifier, evaluated, digests },
    options,
  );
  const sha256 = digestOf(evaluated.samples, digests);
  return {
    report,
    model: classifier.path,
    weights: weightsDigest(classifier.model.graph),
    data: { name: basename(dataset.root), split, sha256 },
    split,
    problems,
    assessed,
  };
}

const methodsOf = (
  { metadata }: Classifier,
  { methods = [metadata.heatmap?.method ?? "grad-cam"] }: FaithfulnessWanted,
): readonly ExplanationMethod[] => methods;

/** Before all films are read for a method that the network has no map for. */
async function refuseMethods(classifier: Classifier, wanted: FaithfulnessWanted): Promise<void> {
  for (const method of methodsOf(classifier, wanted))
    await (await openExplainer(classifier.model, { method })).close();
}

async function heatMapsTried(
  { classifier, evaluated: { samples, isAssessed, evaluation } }: Known,
  set: PredictionSet,
  { faithfulness: wanted, threads, signal, onHeatMaps, onProgress }: ReportModelOptions,
): Promise<ReportedFaithfulness | undefined> {
  if (!wanted) return undefined;
  const {
    class: of,
    films,
    others,
  } = explainedFilms(set, {
    most: wanted.films,
    threshold: evaluation.threshold,
    isLeftOut: (index) => !isAssessed[index],
  });
  if (films.length === 0) return { unknown: `no film is called ${of}` };
  const methods = methodsOf(classifier, wanted);
  const seconds = await estimateFaithfulness(classifier, films.length, methods);
  onHeatMaps?.({ films: films.length, methods, seconds });
  const chosen = films.map((index, place) => {
    const other = others[place];
    return {
      ...samples.at(index)!,
      other: other === undefined ? undefined : samples.at(other)!.path,
    };
  });
  return faithfulness(classifier, chosen, {
    class: of,
    methods,
    threads,
    signal,
    onProgress: (progress) => onProgress?.({ work: "trying heat maps", ...progress }),
  });
}

interface Known {
  readonly run: RunFolder | undefined;
  readonly dataset: Dataset;
  readonly patterns: NamePatterns;
  readonly classifier: Classifier;
  readonly evaluated: DatasetEvaluation;
  readonly digests: readonly string[];
}

async function composed(known: Known, options: ReportModelOptions): Promise<Report> {
  const { run, dataset, patterns, classifier, evaluated, digests } = known;
  const { evaluation, split, samples, predictions, problems } = evaluated;
  const { threshold, hasImages, subgroups, columnPatterns, prevalence } = options;
  const { task, provenance } = classifier.metadata;
  const paths = pathsOf(samples);
  const films = { classifier, paths, threads: options.threads };
  const curves = run?.read("curves");
  const set = withShapes(predictionSetOf(samples, predictions, task), evaluated.films);
  return reportOf(set, evaluation, {
    title: `Evaluation of ${nameOf(classifier)}`,
    facts: [
      ...modelFacts(classifier, threshold),
      ["films", basename(dataset.root)],
      ["split", split ?? "all films"],
    ],
    circumstances: {
      ...(run ? filmsSeenBy(run, digests) : {}),
      leftOut: problems.length,
      leaks: provenance.validationLeaks as readonly string[] | undefined,
    },
    learningCurves: curves && Buffer.from(curves).toString("utf8"),
    pathOf: (index) => paths[index]!,
    hasImages,
    analysis: { subgroups, columnPatterns, prevalence, uncalibrated: evaluated.uncalibrated },
    validation: options.reference
      ? await statedReference(options.reference, patterns, films)
      : await validationFor(run, films),
    robustness: await spoiltReadings(classifier.path, evaluated, options),
    faithfulness: await heatMapsTried(known, set, options),
  });
}

const pathsOf = (samples: Samples): string[] => samples.map(({ path }) => path);

const nameOf = ({ path }: Classifier): string =>
  basename(path) === RUN_FILES.model ? basename(dirname(resolve(path))) : basename(path);

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
