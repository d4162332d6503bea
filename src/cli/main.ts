#!/usr/bin/env node
/** The command line: a table of commands, each loaded when it is called. */
import { Command, CommanderError, Option } from "commander";
import { VERSION } from "../version.ts";
import { type CommandDefinition, oneOf } from "./command.ts";
import { endWhenUnread, outputOf, reportFailure } from "./output.ts";
import { stopSignal, watchStarter } from "./stop.ts";
import { noCommand, unknownCommand, usageError } from "./usage.ts";

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandDefinition>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: "demo",
    summary: "Read films, or synthetic ones, with the shipped model, and show them on a page",
    load: async () => (await import("./commands/demo.ts")).DEMO,
  },
  {
    name: "audit",
    summary: "Say what is in a folder of films, and what is wrong with it",
    load: async () => (await import("./commands/audit.ts")).AUDIT,
  },
  {
    name: "cluster",
    summary: "Put patients into clusters of alike images, to hold out whole ones in training",
    load: async () => (await import("./commands/cluster.ts")).CLUSTER,
  },
  {
    name: "train",
    summary: "Train a classifier on a folder of films",
    load: async () => (await import("./commands/train.ts")).TRAIN,
  },
  {
    name: "lr-find",
    summary: "Find a learning rate by a range test",
    load: async () => (await import("./commands/lr-find.ts")).LR_FIND,
  },
  {
    name: "tune",
    summary: "Search for the best options of training within a budget",
    load: async () => (await import("./commands/tune.ts")).TUNE,
  },
  {
    name: "runs",
    summary: "List the runs below a folder, sort and filter them, or compare two",
    load: async () => (await import("./commands/runs.ts")).RUNS,
  },
  {
    name: "board",
    summary: "Show runs and sweeps in a browser, live while they train",
    load: async () => (await import("./commands/board.ts")).BOARD,
  },
  {
    name: "evaluate",
    summary: "Hold a trained classifier against labelled films",
    load: async () => (await import("./commands/evaluate.ts")).EVALUATE,
  },
  {
    name: "compare",
    summary: "Hold several models against one another on the same films",
    load: async () => (await import("./commands/compare.ts")).COMPARE,
  },
  {
    name: "calibrate",
    summary: "Calibrate a run's model and choose its operating point, on its validation films",
    load: async () => (await import("./commands/calibrate.ts")).CALIBRATE,
  },
  {
    name: "card",
    summary: "Write a run's model card: use, data, recipe, metrics, limits, hashes",
    load: async () => (await import("./commands/card.ts")).CARD,
  },
  {
    name: "export",
    summary: "Finish a run's model as one file: averaging, outputs, small weights, judged anew",
    load: async () => (await import("./commands/export.ts")).EXPORT,
  },
  {
    name: "predict",
    summary: "Read films with a trained classifier",
    load: async () => (await import("./commands/predict.ts")).PREDICT,
  },
  {
    name: "explain",
    summary: "Show on films what a classifier's answer rests on",
    load: async () => (await import("./commands/explain.ts")).EXPLAIN,
  },
  {
    name: "backbones",
    summary: "List pretrained backbones, pull their weights, export them",
    load: async () => (await import("./commands/backbones.ts")).BACKBONES_COMMAND,
  },
  {
    name: "inspect",
    summary: "Show what is in a model: inputs, outputs, operators, parameters, metadata",
    load: async () => (await import("./commands/inspect.ts")).INSPECT,
  },
];

const NOTICE = "Not for clinical use.";

interface Manner {
  readonly isJson: boolean;
  readonly isDebug: boolean;
}

/** Runs the command line and returns its exit code. */
async function main(given: readonly string[], manner: Manner): Promise<number> {
  const words = withoutHelpWord(given);
  const name = words.find((word) => !word.startsWith("-"));
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  try {
    if (!entry) refuseOtherWords(name, words, manner);
    const program = programWithout(entry);
    let exitCode = 0;
    if (entry)
      addCommand(program, await entry.load(), async (definition, operands, options) => {
        const context = { output: outputOf(manner.isJson), signal: stopSignal() };
        exitCode = (await definition.run(operands, ownOptions(options), context)) ?? 0;
      });
    await program.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportFailure(error, manner);
    if (error.exitCode === 0) return 0;
    // Without any word the parser has shown the commands.
    if (error.code === "commander.help") return 2;
    return reportFailure(usageError(error, name), manner);
  }
}

/** `hilum help train` is `hilum train --help`. */
function withoutHelpWord(words: readonly string[]): string[] {
  if (words[0] !== "help") return [...words];
  return words[1] === undefined ? ["--help"] : [words[1], "--help"];
}

function refuseOtherWords(
  name: string | undefined,
  words: readonly string[],
  { isJson }: Manner,
): void {
  const names = COMMANDS.map((command) => command.name);
  if (name !== undefined) throw unknownCommand(name, names);
  if (isJson && !words.includes("--help")) throw noCommand(names);
}

/** The parser with all commands but the one that is loaded, which are there to be listed. */
function programWithout(entry: CommandEntry | undefined): Command {
  const program = new Command("hilum")
    .description(`Train, evaluate and use chest X-ray classifiers. ${NOTICE}`)
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addHelpText("after", "\nExamples:\n  $ hilum audit chest_xray\n  $ hilum help train");
  for (const { name, summary } of COMMANDS)
    if (name !== entry?.name) program.command(name).summary(summary).description(summary);
  return program;
}

/** The parser would take null for an option without a value. */
const NONE = Symbol("none");

/** The command's own options as they were given, "none" as null. */
function ownOptions({
  json: _json,
  debug: _debug,
  ...options
}: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, value === NONE ? null : value]),
  );
}

type Action = (
  definition: CommandDefinition,
  operands: readonly (string | readonly string[])[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void>;

function addCommand(program: Command, definition: CommandDefinition, action: Action): void {
  const command = program
    .command(definition.name)
    .summary(definition.summary)
    .description(`${definition.summary}. ${NOTICE}`)
    .exitOverride();
  for (const { name, description } of definition.operands) command.argument(name, description);
  for (const { flags, description, parse, choices, isRequired, group } of definition.options) {
    const option = new Option(flags, description);
    if (choices) {
      const one = oneOf(choices);
      option.choices(choices).argParser<string | readonly string[] | undefined>((text, before) =>
        // A parser of one's own takes over the collecting of several values as well.
        option.variadic ? [...(before ?? []), one(text)] : one(text),
      );
    }
    if (group) option.helpGroup(group);
    if (parse) option.argParser((text: string) => parse(text) ?? NONE);
    if (isRequired) option.makeOptionMandatory();
    command.addOption(option);
  }
  command
    .option("--json", "print exactly one JSON object on standard output")
    .option("--debug", "show where an error comes from")
    .addHelpText(
      "after",
      `${definition.notes ?? ""}\nExamples:\n${definition.examples.map((line) => `  $ ${line}`).join("\n")}`,
    )
    .action(async (...given: unknown[]) => {
      const options = given.at(-2) as Record<string, unknown>;
      await action(definition, given.slice(0, -2) as string[], options);
    });
}

const WORDS = process.argv.slice(2);
const MANNER = { isJson: WORDS.includes("--json"), isDebug: WORDS.includes("--debug") };

watchStarter();
endWhenUnread();
process.on("uncaughtException", (error) => process.exit(reportFailure(error, MANNER)));
process.exitCode = await main(WORDS, MANNER);
