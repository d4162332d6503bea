/** Where things go: results to standard output, everything else to standard error. */
import pc from "picocolors";
import { ERROR_KINDS, type ErrorCode, HilumError, isHilumError } from "../errors.ts";

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

/** `hilum ... | head` stops reading when it has enough: nothing is wrong then. */
export function endWhenUnread(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

const SYSTEM_ERRORS: Readonly<Record<string, readonly [code: ErrorCode, advice: string]>> = {
  EACCES: ["file-forbidden", "Check its permissions."],
  EPERM: ["file-forbidden", "Check its permissions."],
  EROFS: ["file-forbidden", "Its disk can only be read: choose another place."],
  EISDIR: ["file-forbidden", "It is a folder: name a file."],
  ENOENT: ["file-not-found", "Check the path."],
  ENOTDIR: ["file-not-found", "Check the path: a part of it is no folder."],
  ENOSPC: ["disk-full", "Free some space and run the same command again."],
  EDQUOT: ["disk-full", "Free some space and run the same command again."],
};

function unexpected(error: unknown): HilumError {
  const system = error as NodeJS.ErrnoException;
  const [code, advice] = SYSTEM_ERRORS[system?.code ?? ""] ?? [];
  if (code)
    return new HilumError(
      code,
      `${system.path ?? "A file"} cannot be opened (${system.code}). ${advice}`,
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
