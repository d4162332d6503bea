/** Wrong words on the command line, as the typed error that they are. */
import type { CommanderError } from "commander";
import { HilumError, nearest } from "../errors.ts";

/** The error for a first word that is no command. */
export function unknownCommand(word: string, names: readonly string[]): HilumError {
  const suggestion = nearest(word, names);
  return new HilumError(
    "unknown-command",
    `There is no command "${word}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${names.join(", ")}.`,
    { command: word, suggestion, allowed: names },
  );
}

export function noCommand(names: readonly string[]): HilumError {
  return new HilumError("unknown-command", `No command is named. There are: ${names.join(", ")}.`, {
    allowed: names,
  });
}

/** What the parser says, in our words and with its suggestion as data. */
export function usageError({ message, code }: CommanderError, command = ""): HilumError {
  const [first = "", hint] = message.replace(/^error: /, "").split("\n");
  const suggestion = hint?.match(/Did you mean (?:one of )?(.*)\?/)?.[1];
  const sentence = `${first[0]?.toUpperCase()}${first.slice(1)}${/[.?!]$/.test(first) ? "" : "."}`;
  return new HilumError(
    "invalid-option",
    `${sentence}${suggestion ? ` Did you mean ${suggestion}?` : ""} See: hilum ${`${command} --help`.trim()}`,
    {
      command,
      reason: code.replace("commander.", ""),
      option: first.match(/'(-[^' ]+)/)?.[1],
      suggestion,
    },
  );
}
