/** Where things go: results to standard output, everything else to standard error. */
import pc from "picocolors";
import { ERROR_KINDS, HilumError, isHilumError } from "../errors.ts";

export interface Output {
  readonly isJson: boolean;
  /** The command's one JSON object; printed under `--json` only. */
  result(value: object): void;
  /** Text for people; silent under `--json`. */
  print(text: string): void;
  /** A message beside the result. */
  note(text: string): void;
}

export function outputOf(isJson: boolean): Output {
  return {
    isJson,
    result(value) {
      if (isJson) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    print(text) {
      if (!isJson) process.stdout.write(`${text}\n`);
    },
    note(text) {
      process.stderr.write(`${text}\n`);
    },
  };
}

/** Prints the failure in the form asked for and returns the exit code of its kind. */
export function reportFailure(
  error: unknown,
  { isJson, isDebug }: { isJson: boolean; isDebug: boolean },
): number {
  const failure = isHilumError(error) ? error : unexpected(error);
  const { code, kind, message, details } = failure;
  if (isJson)
    process.stdout.write(`${JSON.stringify({ error: { code, kind, message, details } })}\n`);
  else process.stderr.write(`${pc.red(`hilum: ${message}`)}\n`);
  if (isDebug)
    process.stderr.write(
      `${failure.stack}\n${failure.cause instanceof Error ? failure.cause.stack : ""}\n`,
    );
  return ERROR_KINDS[kind].exitCode;
}

function unexpected(error: unknown): HilumError {
  const system = error as NodeJS.ErrnoException;
  if (system?.code === "EACCES" || system?.code === "EPERM" || system?.code === "EROFS")
    return new HilumError(
      "file-forbidden",
      `${system.path ?? "A file"} cannot be opened (${system.code}). Check its permissions.`,
      { path: system.path, reason: system.code },
      error,
    );
  const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
  return new HilumError(
    "internal-assertion",
    `Something went wrong inside Hilum: ${reason}. Run again with --debug and report what it prints.`,
    {},
    error,
  );
}
