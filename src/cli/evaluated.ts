/** What `evaluate` evaluates: a model on films, or a file of predictions. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { ExplanationMethod } from "../classifier/index.node.ts";
import { HilumError } from "../errors.ts";
import { type Report, reportPredictions, statedThreshold } from "../evaluation/index.ts";
import { type CommandContext, text } from "./command.ts";
import { duration, type ProgressBar, progressBar } from "./progress.ts";

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
  if (predictions !== undefined && options.faithfulness !== undefined)
    refuse(
      "faithfulness",
      "Option --faithfulness needs a model that reads films, not --predictions.",
    );
  if (options.explanations !== undefined && options.faithfulness === undefined)
    refuse(
      "explanations",
      "Option --explanations says which heat maps --faithfulness tries: give both.",
    );
  if (options.robustnessFilms !== undefined && options.robustness !== true)
    refuse("robustness-films", "Option --robustness-films has a meaning with --robustness only.");
  if (predictions !== undefined && options.reference !== undefined)
    refuse("reference", "Option --reference needs a model that reads films, not --predictions.");
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

/** What both kinds of evaluation can be told. */
const optionsOf = ({
  threshold,
  split,
  images,
  subgroup,
  subgroupPattern,
  prevalence,
}: Options) => ({
  threshold: threshold === undefined ? undefined : statedThreshold(String(threshold)),
  split: text(split),
  hasImages: images !== false,
  subgroups: subgroup as readonly string[] | undefined,
  columnPatterns: patternsOf(subgroupPattern as readonly string[] | undefined),
  prevalence: prevalence as number | undefined,
});

/** How many films' heat maps are tried where no number is said. */
export const HEAT_MAP_FILMS = 40;

const faithfulnessOf = ({ faithfulness, explanations }: Options) =>
  faithfulness === undefined
    ? undefined
    : {
        films: faithfulness === true ? HEAT_MAP_FILMS : (faithfulness as number),
        methods: explanations as readonly ExplanationMethod[] | undefined,
      };

/** Each as NAME=EXPRESSION. */
function patternsOf(texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (!texts) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, pattern] = text.match(/^([^=]+)=(.+)$/s) ?? [];
      if (name && pattern) return [name, pattern];
      return refuse(
        "subgroup-pattern",
        `Option --subgroup-pattern is "${text}"; it has to be NAME=REGEX, such as 'kind=_(bacteria|virus)_'.`,
      );
    }),
  );
}

async function predictionsEvaluated(file: string, options: Options): Promise<Evaluated> {
  const asked = optionsOf(options);
  const report = await reportPredictions(file, { ...asked, positive: text(options.positive) });
  const split = asked.split ?? null;
  const data = { name: basename(file), split, sha256: hash("sha256", await readFile(file)) };
  const source = { predictions: file, data, split };
  return { report, result: resultOf(source, report, []), leftOut: [] };
}

async function modelEvaluated(
  path: string,
  options: Options,
  { output, signal }: CommandContext,
): Promise<Evaluated> {
  const { reportModel } = await import("../training/index.ts");
  const asked = optionsOf(options);
  const bars = new Map<string, ProgressBar>();
  const firsts = new Map<string, { readonly done: number; readonly time: number }>();
  /** By how long those after the first report took. */
  const timeLeft = (work: string, done: number, total: number): string => {
    const first = firsts.get(work) ?? { done, time: performance.now() };
    firsts.set(work, first);
    if (done === first.done || done === total) return "";
    const each = (performance.now() - first.time) / 1000 / (done - first.done);
    return `about ${duration(each * (total - done))} left`;
  };
  const barOf = (work: string): ProgressBar => {
    const bar = bars.get(work) ?? progressBar(work);
    bars.set(work, bar);
    return bar;
  };
  try {
    const { report, problems, assessed, ...source } = await reportModel(
      path,
      String(options.data),
      {
        ...asked,
        reference: text(options.reference),
        isRobustnessWanted: options.robustness === true,
        faithfulness: faithfulnessOf(options),
        robustnessFilms: options.robustnessFilms as number | undefined,
        isStrict: options.strict === true,
        patientPattern: text(options.patientPattern),
        labelPattern: text(options.labelPattern),
        threads: options.threads as number | undefined,
        signal,
        onEstimate: ({ films, readings, seconds }) =>
          output.note(
            `robustness: ${films.toLocaleString("en")} films, ${readings.toLocaleString("en")} readings: about ${duration(seconds)}`,
          ),
        onHeatMaps: ({ films, methods, seconds }) =>
          output.note(
            `faithfulness: ${films.toLocaleString("en")} films, ${methods.join(", ")}: about ${duration(seconds)}`,
          ),
        onProgress({ work, done, total }) {
          barOf(work).update(done, total, timeLeft(work, done, total));
          if (done === total) barOf(work).stop();
        },
      },
    );
    const shown = asked.hasImages
      ? problems
      : problems.map(({ code, severity }) => ({ code, severity }));
    const leftOut = problems.map(({ message }) => message);
    return { report, result: { ...resultOf(source, report, shown), assessed }, leftOut };
  } finally {
    for (const bar of bars.values()) bar.stop();
  }
}

function resultOf(source: object, report: Report, problems: readonly object[]): object {
  const { evaluation, analysis, shift, uncertainBand, robustness, faithfulness, warnings } = report;
  return {
    ...source,
    ...evaluation,
    ...analysis,
    shift,
    uncertainBand,
    robustness,
    faithfulness,
    warnings,
    problems,
  };
}
