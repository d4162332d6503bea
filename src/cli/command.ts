/** What a command is: a definition object. main.ts turns it into a parser. */
import { InvalidArgumentError } from "commander";
import { nearest } from "../errors.ts";
import type { Output } from "./output.ts";

export interface CommandOption {
  /** In commander's form: "--size <pixels>". */
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  readonly isRequired?: boolean;
  /** The heading that help shows it under. */
  readonly group?: string;
}

export interface CommandContext {
  readonly output: Output;
  readonly signal: AbortSignal;
}

export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  /** In commander's form: "<dir>", "[files...]". */
  readonly operands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CommandOption[];
  /** Shown below the options; begins with an empty line. */
  readonly notes?: string;
  readonly examples: readonly string[];
  /** Returns the exit code; nothing means 0. */
  run(
    operands: readonly (string | readonly string[])[],
    options: Readonly<Record<string, unknown>>,
    context: CommandContext,
  ): Promise<number | undefined>;
}

/** A number; anything else is refused by the parser with the option's name. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new InvalidArgumentError("It is not a number.");
  return value;
}

/** A whole number from 1. */
export function count(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It is not a whole number from 1.");
  return value;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a duration such as 90s, 30m or 1.5h. */
export function seconds(text: string): number {
  const [, digits, unit] = text.match(/^(\d+(?:\.\d+)?)(s|m|h|d)$/) ?? [];
  const value = Number(digits) * UNITS[unit ?? ""]!;
  if (!(value > 0)) throw new InvalidArgumentError("It is a duration such as 90s, 30m or 2h.");
  return value;
}

/** A number, or null for "none". */
export function numberOrNone(text: string): number | null {
  return text === "none" ? null : number(text);
}

/** A number, or "all". */
export function numberOrAll(text: string): number | "all" {
  return text === "all" ? text : number(text);
}

/** One of the names; any other is refused with the nearest of them. */
export function oneOf(names: readonly string[]): (text: string) => string {
  return (text) => {
    if (names.includes(text)) return text;
    const suggestion = nearest(text, names);
    throw new InvalidArgumentError(
      `${suggestion ? `Did you mean ${suggestion}? ` : ""}There are: ${names.join(", ")}.`,
    );
  };
}

/** "CENTER,WIDTH" of a grey window. */
export function greyWindow(text: string): { center: number; width: number } {
  const [center, width, ...rest] = text.split(",").map(Number);
  if (rest.length > 0 || !Number.isFinite(center) || !(Number(width) > 0))
    throw new InvalidArgumentError("It is CENTER,WIDTH, for example 2048,4096.");
  return { center: center!, width: width! };
}

export const text = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;
