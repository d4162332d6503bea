/** The table of networks by name. */
import { HilumError, nearest } from "../errors.ts";
import { DENSE_BASELINE } from "./dense-baseline.ts";
import { DEPTHWISE } from "./depthwise.ts";
import type { NetworkEntry } from "./network.ts";
import { PLAIN } from "./plain.ts";
import { RESIDUAL } from "./residual.ts";
import { SMALL_CNN } from "./small-cnn.ts";

export const NETWORKS: readonly NetworkEntry[] = [
  DENSE_BASELINE,
  SMALL_CNN,
  PLAIN,
  RESIDUAL,
  DEPTHWISE,
];

/** The entry of that name. Throws `unknown-model` with the nearest name and the list. */
export function networkEntry(name: string): NetworkEntry {
  return entryNamed(name, NETWORKS);
}

/** The entry of that name among any. Throws `unknown-model` with the nearest name and the list. */
export function entryNamed<T extends { readonly name: string }>(
  name: string,
  entries: readonly T[],
): T {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const names = entries.map((candidate) => candidate.name);
  const suggestion = nearest(name, names);
  throw new HilumError(
    "unknown-model",
    `No model is called "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${names.join(", ")}.`,
    { name, suggestion, names },
  );
}
