/** What `evaluate` evaluates: a model on films, or a file of predictions. */
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
const optionsOf = ({ threshold, split, images, subgroup, prevalence }: Options) => ({
  threshold: threshold === undefined ? undefined : statedThreshold(String(threshold)),
  split: text(split),
  hasImages: images !== false,
  subgroups: subgroup as readonly string[] | undefined,
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

async function predictionsEvaluated(file: string, options: Options): Promise<Evaluated> {
  const asked = optionsOf(options);
  const report = await reportPredictions(file, { ...asked, positive: text(options.positive) });
  const source = { predictions: file, split: asked.split ?? null };
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
  const barOf = (work: string): ProgressBar => {
    const bar = bars.get(work) ?? progressBar(work);
    bars.set(work, bar);
    return bar;
  };
  try {
    const { report, model, split, problems, assessed } = await reportModel(
      path,
      String(options.data),
      {
        ...asked,
        reference: text(options.reference),
        isRobustnessWanted: options.robustness === true,
        faithfulness: faithfulnessOf(options),
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
          barOf(work).update(done, total);
          if (done === total) barOf(work).stop();
        },
      },
    );
    const shown = asked.hasImages
      ? problems
      : problems.map(({ code, severity }) => ({ code, severity }));
    const leftOut = problems.map(({ message }) => message);
    return { report, result: { ...resultOf({ model, split }, report, shown), assessed }, leftOut };
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
