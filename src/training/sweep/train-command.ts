/** The command line that trains a configuration. */
import type { SweepConfig } from "./config.ts";
import { refitted } from "./refit.ts";
import type { Params } from "./space.ts";
import { trialOptions } from "./trial-options.ts";

/**
 * `hilum train` with every option of the trial, or where that was several folds with those of its
 * refit; words quoted where a shell asks for it.
 */
export function trainCommand(config: SweepConfig, params: Params, out: string): string {
  const own = trialOptions(config, params);
  const options = config.folds === null ? own : refitted(own);
  const words = Object.entries(options).flatMap(([name, value]) =>
    wordsOf(
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ),
  );
  return ["hilum", "train", config.data, ...words, "--out", out].map(quoted).join(" ");
}

function wordsOf(name: string, value: unknown): string[] {
  if (value === undefined || value === false) return [];
  if (value === true) return [`--${name}`];
  // Of the options that may be null, only this one does not mean the same when it is left out.
  if (value === null) return name === "clip-norm" ? [`--${name}`, "none"] : [];
  if (Array.isArray(value)) return value.length === 0 ? [] : [`--${name}`, ...value.map(String)];
  if (typeof value === "object") {
    const { center, width } = value as { center: number; width: number };
    return [`--${name}`, `${center},${width}`];
  }
  return [`--${name}`, String(value)];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
