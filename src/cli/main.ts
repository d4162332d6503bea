#!/usr/bin/env node
/** The command line: a table of commands, each loaded when it is called. */
import { Command, CommanderError, Option } from "commander";
import { nearest } from "../errors.ts";
import { VERSION } from "../version.ts";
import { type CommandDefinition, oneOf } from "./command.ts";
import { outputOf, reportFailure } from "./output.ts";
import { stopSignal, watchStarter } from "./stop.ts";

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandDefinition>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "audit",
    summary: "Say what is in a folder of films, and what is wrong with it",
    load: async () => (await import("./commands/audit.ts")).AUDIT,
  },
  {
    name: "train",
    summary: "Train a classifier on a folder of films",
    load: async () => (await import("./commands/train.ts")).TRAIN,
  },
  {
    name: "evaluate",
    summary: "Hold a trained classifier against labelled films",
    load: async () => (await import("./commands/evaluate.ts")).EVALUATE,
  },
  {
    name: "predict",
    summary: "Read films with a trained classifier",
    load: async () => (await import("./commands/predict.ts")).PREDICT,
  },
  {
    name: "inspect",
    summary: "Show what is in a model: inputs, outputs, operators, parameters, metadata",
    load: async () => (await import("./commands/inspect.ts")).INSPECT,
  },
];

const NOTICE = "Not for clinical use.";

/** Runs the command line and returns its exit code. */
async function main(words: readonly string[]): Promise<number> {
  const isJson = words.includes("--json");
  const isDebug = words.includes("--debug");
  const program = new Command("hilum")
    .description(`Train, evaluate and use chest X-ray classifiers. ${NOTICE}`)
    .version(VERSION)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeErr: (message) => {
        if (!isJson) process.stderr.write(message);
      },
    });
  const entry = COMMANDS.find(({ name }) => name === words.find((word) => !word.startsWith("-")));
  let exitCode = 0;
  for (const { name, summary } of COMMANDS)
    if (name !== entry?.name) program.command(name).summary(summary).description(summary);
  try {
    if (entry)
      addCommand(program, await entry.load(), async (definition, operands, options) => {
        const { json: _json, debug: _debug, ...rest } = options;
        const context = { output: outputOf(isJson), signal: stopSignal() };
        exitCode = (await definition.run(operands, rest, context)) ?? 0;
      });
    await program.parseAsync([...words], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageFailure(error, words, isJson);
    return reportFailure(error, { isJson, isDebug });
  }
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
    if (choices) option.choices(choices).argParser(oneOf(choices));
    if (group) option.helpGroup(group);
    if (parse) option.argParser(parse);
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

/** A wrong word or option: commander has said it in prose; under --json it is said as data. */
function usageFailure(error: CommanderError, words: readonly string[], isJson: boolean): number {
  if (error.exitCode === 0) return 0;
  const first = words.find((word) => !word.startsWith("-"));
  const suggestion =
    error.code === "commander.unknownCommand" && first
      ? nearest(
          first,
          COMMANDS.map(({ name }) => name),
        )
      : undefined;
  if (isJson) {
    const message = error.message.replace(/^error: /, "").split("\n")[0];
    const failure = {
      code: "invalid-option",
      kind: "bad-input",
      message,
      details: suggestion ? { suggestion } : {},
    };
    process.stdout.write(`${JSON.stringify({ error: failure })}\n`);
  }
  return 2;
}

watchStarter();
process.exitCode = await main(process.argv.slice(2));
