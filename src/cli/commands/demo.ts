import { relative } from "node:path";
import { NOTICE } from "../../classifier/index.ts";
import {
  COMMANDS_AFTER_READING,
  commandsAfter,
  DEMO_DEFAULTS,
  type DemoEvent,
  type DemoOptions,
  type ReadingDemoEvent,
  runDemo,
  runReadingDemo,
  SYNTHETIC_BANNER,
} from "../../demo/index.ts";
import { HilumError } from "../../errors.ts";
import { NETWORKS } from "../../models/index.ts";
import { type CommandContext, type CommandDefinition, count, number, text } from "../command.ts";
import { evaluationText } from "../evaluation-text.ts";
import type { Output } from "../output.ts";
import { progressBars } from "../progress.ts";
import { readingsTable } from "../readings.ts";
import { table } from "../table.ts";
import { plain } from "./predict.ts";
import { trainReporter } from "./train.ts";

const DEFAULT_OUT = "hilum-demo";
const TRAINING = "Training:";

const NOTES = `
Films are JPEG or PNG; the page shows each with its heat map, probability and
what the gate says. --json prints {synthetic, page, model, positive, threshold,
images}, images as of hilum predict; with --train the result of the training.
A film that cannot be read is told in one line, and the exit code is 2 after
all others are read.
`;

export const DEMO: CommandDefinition = {
  name: "demo",
  summary: "Read films, or synthetic ones, with the shipped model, and show them on a page",
  operands: [
    { name: "[films...]", description: "films, or folders of films (none: synthetic ones)" },
  ],
  options: [
    {
      flags: "--out <folder>",
      description: `where page, synthetic films and run go (default: ${DEFAULT_OUT})`,
    },
    {
      flags: "--train",
      description: "draw synthetic films, train on them, and show the result",
      group: TRAINING,
    },
    {
      flags: "--films <n>",
      description: `synthetic films in all (default: ${DEMO_DEFAULTS.films})`,
      parse: count,
      group: TRAINING,
    },
    {
      flags: "--model <name>",
      description: `network: ${NETWORKS.map(({ name }) => name).join(", ")} (default: ${DEMO_DEFAULTS.model})`,
      group: TRAINING,
    },
    {
      flags: "--epochs <n>",
      description: `epochs of training (default: ${DEMO_DEFAULTS.epochs})`,
      parse: count,
      group: TRAINING,
    },
    {
      flags: "--seed <n>",
      description: `seed of films and training (default: ${DEMO_DEFAULTS.seed})`,
      parse: number,
      group: TRAINING,
    },
    {
      flags: "--fresh",
      description: "remove what an earlier demo left there, and begin anew",
      group: TRAINING,
    },
  ],
  notes: NOTES,
  examples: [
    "hilum demo",
    "hilum demo film.jpeg incoming/",
    "hilum demo --train",
    "hilum demo --train --model dense --out dense-demo",
    "hilum demo --train --films 300 --epochs 4 --out small-demo --json",
  ],
  run([films], { out: given, train, ...options }, context) {
    const out = text(given) ?? DEFAULT_OUT;
    const paths = films as readonly string[];
    if (train && paths.length > 0)
      throw new HilumError(
        "invalid-option",
        "The demo trains on films that it draws itself. Leave out --train to read your films, or train on them with: hilum train DIR",
        { option: "train", films: paths },
      );
    const [stray] = Object.keys(options).filter((name) => TRAINING_OPTIONS.includes(name));
    if (!train && stray)
      throw new HilumError(
        "invalid-option",
        `Option --${stray} is one of training. Add --train: hilum demo --train`,
        { option: stray },
      );
    return train ? training(out, options, context) : reading(out, paths, context);
  },
};

const TRAINING_OPTIONS = ["films", "model", "epochs", "seed", "fresh"];

async function reading(
  out: string,
  films: readonly string[],
  { output, signal }: CommandContext,
): Promise<number> {
  const bars = demoBars();
  const banner = `Everything here is ${SYNTHETIC_BANNER}.`;
  if (films.length === 0) output.note(banner);
  try {
    const result = await runReadingDemo({ films, out, signal, onEvent: bars.update });
    bars.stop();
    const { readings, isGated, ...facts } = result;
    const images = readings.map((entry) => plain(entry, facts.positive, isGated));
    output.result({ ...facts, images });
    const next = COMMANDS_AFTER_READING.map(({ command, why }) => [command, why]);
    output.print(
      [
        readingsTable(readings, facts.positive),
        ...(facts.synthetic ? [banner] : []),
        table(next),
        `The page: ${relative(process.cwd(), facts.page)}`,
        NOTICE,
      ].join("\n\n"),
    );
    const failed = readings.filter(({ error }) => error);
    for (const { error } of failed) output.note(`hilum: ${error!.message}`);
    return failed.length > 0 ? 2 : 0;
  } finally {
    bars.stop();
  }
}

async function training(
  out: string,
  { fresh, ...settings }: Readonly<Record<string, unknown>>,
  { output, signal }: CommandContext,
): Promise<number> {
  const reporter = demoReporter(output);
  output.note("Everything here is synthetic: films drawn by a program, no patient's.");
  try {
    const result = await runDemo({
      ...(settings as Partial<DemoOptions>),
      out,
      isFresh: fresh === true,
      signal,
      onEvent: reporter.onEvent,
    });
    reporter.stop();
    output.result(result);
    const next = commandsAfter(out).map(({ command, why }) => [command, why]);
    output.print(
      [
        "On synthetic test films:",
        evaluationText({ evaluation: result.test }),
        "Now with your own films, in DIR/NORMAL and DIR/PNEUMONIA:",
        table(next),
        `The page: ${relative(process.cwd(), result.page)}`,
        NOTICE,
      ].join("\n\n"),
    );
    return 0;
  } finally {
    reporter.stop();
  }
}

const BAR_TITLES = {
  drawing: "drawing synthetic films",
  reading: "reading",
  explaining: "heat maps",
  evaluating: "evaluating",
} as const;

type DemoProgress = ReadingDemoEvent | Extract<DemoEvent, { kind: "drawing" | "evaluating" }>;

function demoBars(): { update(progress: DemoProgress): void; stop(): void } {
  const { update, stop } = progressBars();
  return { stop, update: ({ kind, done, total }) => update(BAR_TITLES[kind], done, total) };
}

/** Bars for drawing and evaluating around those of training. */
function demoReporter(output: Output): { onEvent(event: DemoEvent): void; stop(): void } {
  const trained = trainReporter(output);
  const bars = demoBars();
  return {
    stop() {
      bars.stop();
      trained.stop();
    },
    onEvent(event) {
      if (event.kind !== "drawing" && event.kind !== "evaluating") {
        trained.onEvent(event);
        return;
      }
      trained.stop();
      bars.update(event);
    },
  };
}
