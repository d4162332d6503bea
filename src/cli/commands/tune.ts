import { NOTICE } from "../../classifier/index.ts";
import { HilumError } from "../../errors.ts";
import { networkEntry } from "../../models/index.ts";
import {
  type Budget,
  beginSweep,
  defaultSpaceFile,
  LATENCY,
  PRUNER_NAMES,
  resumeSweep,
  SAMPLER_NAMES,
  type SweepEvent,
  type TrainOptions,
  type TuneOptions,
  withMlflowSweep,
} from "../../training/index.ts";
import {
  type CommandDefinition,
  type CommandOption,
  count,
  number,
  seconds,
  text,
} from "../command.ts";
import { sweepReporter, sweepText } from "../sweep-text.ts";
import { trackingOf } from "../tracking.ts";
import { TRACKING_OPTIONS, TRAIN_OPTIONS } from "../train-options.ts";
import { isWorker, startWorkers } from "../workers.ts";

const SWEEP: readonly CommandOption[] = [
  { flags: "--out <folder>", description: "the sweep's folder" },
  {
    flags: "--resume <folder>",
    description:
      "go on with a sweep, or print it where it is finished; a new budget replaces its own",
  },
  {
    flags: "--space <file>",
    description: "what to choose from, as JSON (default: the network's own, see below)",
  },
  { flags: "--budget <duration>", description: "time to spend, e.g. 30m", parse: seconds },
  {
    flags: "--trials <n>",
    description: "trials to make (default: 20, without other budget)",
    parse: count,
  },
  { flags: "--images <n>", description: "films to train on, repeats included", parse: count },
  {
    flags: "--sampler <name>",
    description: "how trials are chosen (default: tpe)",
    choices: SAMPLER_NAMES,
  },
  {
    flags: "--pruner <name>",
    description: "how hopeless trials are stopped early (default: asha)",
    choices: PRUNER_NAMES,
  },
  {
    flags: "--objective <names...>",
    description: `validation metric, and ${LATENCY} (ms a film) beside it for a Pareto front (default: --metric)`,
  },
  {
    flags: "--folds <k>",
    description: "the mean over k folds by patient is the objective",
    parse: count,
  },
  {
    flags: "--holdout <share>",
    description:
      "share of the patients that no trial sees: the best and the recipe are compared on them",
    parse: number,
  },
  { flags: "--refit", description: "train the winner anew on the data of all folds" },
  {
    flags: "--workers <n>",
    description: "processes at once, which share the cores (default: 1)",
    parse: count,
  },
  {
    flags: "--seed <n>",
    description: "seed of choices, splits and trainings (default: 1)",
    parse: number,
  },
];

/** Options of training that make no sense for a sweep, or are its own. */
const NOT_ALIKE = [
  "--out",
  "--resume",
  "--preview",
  "--seed",
  "--folds",
  "--fold",
  "--fold-by",
  "--manifest",
  "--strict",
];
const ALIKE = TRAIN_OPTIONS.filter(({ flags }) => !NOT_ALIKE.includes(flags.split(" ")[0]!)).map(
  (option) => ({ ...option, group: "For all trials alike:" }),
);

const SPACE_NOTE = `
The default space of cnn, which --space can replace (a fixed option leaves it):
${Object.entries(defaultSpaceFile(networkEntry("cnn")))
  .map(
    ([name, value], index, all) =>
      `  ${index === 0 ? "{" : " "} "${name}": ${JSON.stringify(value)}${index < all.length - 1 ? "," : " }"}`,
  )
  .join("\n")}
`;

export const TUNE: CommandDefinition = {
  name: "tune",
  summary: "Search for the best options of training within a budget",
  operands: [{ name: "[dir]", description: "the films, as for train; not with --resume" }],
  options: [
    ...SWEEP.map((option) => ({ ...option, group: "The sweep:" })),
    ...TRACKING_OPTIONS,
    ...ALIKE,
  ],
  notes: SPACE_NOTE,
  examples: [
    "hilum tune chest_xray --model cnn --budget 30m --out sweeps/cnn",
    "hilum tune chest_xray --space space.json --trials 50 --workers 2 --out sweeps/mine",
    "hilum tune chest_xray --objective auroc latency --images 200000 --out sweeps/fast",
    "hilum tune chest_xray --model efficientnet-lite0 --weights FILE --epochs 0 --trials 300 --out sweeps/heads",
    "hilum tune --resume sweeps/cnn --json",
  ],
  async run([dir], given, { output, signal }) {
    const isHelper = isWorker();
    const { budget, trials, images, resume, out, refit, workers, cache, ...more } = given;
    const { mlflow, mlflowExperiment, ...options } = more;
    const sweep = text(resume) ?? text(out);
    const tracking = trackingOf({ mlflow, mlflowExperiment }, output);
    refuseMixture(text(dir), { resume: text(resume), out: text(out), ...options });
    const bound: Partial<Budget> = {
      seconds: asNumber(budget),
      trials: asNumber(trials),
      images: asNumber(images),
    };
    const others = typeof workers === "number" ? workers - 1 : 0;
    if (!resume)
      await beginSweep(
        String(dir),
        { ...tuneOptions(options), budget: bound, workers: others + 1 },
        { out: sweep!, cacheFolder: text(cache) },
      );
    const crew = startWorkers(isHelper ? 0 : others, [
      "tune",
      "--resume",
      sweep!,
      "--json",
      ...(cache ? ["--cache", String(cache)] : []),
    ]);
    signal.addEventListener("abort", crew.stop);
    const reporter = sweepReporter(output);
    try {
      const hasBound = resume && Object.values(bound).some((value) => value !== null);
      const work = (onEvent: (event: SweepEvent) => void) =>
        resumeSweep({
          out: sweep!,
          signal,
          cacheFolder: text(cache),
          isRefit: refit === true,
          onEvent(event) {
            reporter.onEvent(event);
            onEvent(event);
          },
          ...(hasBound ? { budget: bound } : {}),
        });
      const result = await (tracking
        ? withMlflowSweep(tracking, sweep!, work)
        : work(() => undefined));
      reporter.stop();
      output.result(result);
      output.print(`${sweepText(result)}\n\n${NOTICE}`);
      return 0;
    } catch (error) {
      crew.stop();
      throw error;
    } finally {
      reporter.stop();
      await crew.ended();
    }
  },
};

const asNumber = (value: unknown): number | null => (typeof value === "number" ? value : null);

function tuneOptions({
  space,
  model,
  sampler,
  pruner,
  objective,
  folds,
  holdout,
  seed,
  ...train
}: Readonly<Record<string, unknown>>): TuneOptions {
  return {
    model: text(model),
    space: text(space),
    sampler: text(sampler) as TuneOptions["sampler"],
    pruner: text(pruner) as TuneOptions["pruner"],
    objectives: objective as string[] | undefined,
    folds: folds as number | undefined,
    holdout: holdout as number | undefined,
    seed: seed as number | undefined,
    train: train as TrainOptions,
  };
}

/** A sweep knows its films and options: with --resume there is nothing to say about them. */
function refuseMixture(
  dir: string | undefined,
  { resume, out, ...options }: Readonly<Record<string, unknown>>,
): void {
  const refuse = (option: string, problem: string): never => {
    throw new HilumError("invalid-option", `${problem} See: hilum tune --help`, { option });
  };
  if (resume === undefined) {
    if (dir === undefined) refuse("dir", "The folder of films is not given, nor --resume.");
    if (out === undefined) refuse("out", "Option '--out <folder>' is not given.");
    return;
  }
  if (dir !== undefined)
    refuse("dir", "A sweep knows its films: leave the folder out with --resume.");
  if (out !== undefined) refuse("out", "Option --resume names the sweep: leave --out out.");
  const [first] = Object.keys(options);
  if (first !== undefined)
    refuse(
      first,
      `Option ${first} cannot change while a sweep goes on: leave it out with --resume.`,
    );
}
