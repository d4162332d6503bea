/** Which films a run used, from its manifest; told by their contents, wherever they lie now. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RunFolder } from "./run-folder.ts";

export interface FilmsSeen {
  readonly trainedOn: number;
  /** Films that chose the epoch and the operating point. */
  readonly validatedOn: number;
}

/** SHA-256 of each file. */
export async function digestsOf(paths: readonly string[]): Promise<string[]> {
  const digests: string[] = [];
  for (const path of paths) digests.push(hash("sha256", await readFile(path)));
  return digests;
}

/** How many of these files a run was trained on, or chose its epoch by. Throws `run-damaged`. */
export function filmsSeenBy(folder: RunFolder, digests: readonly string[]): FilmsSeen {
  const partOf = partsByDigest(folder);
  const count = { train: 0, val: 0 };
  for (const digest of digests) {
    const part = partOf.get(digest);
    if (part) count[part]++;
  }
  return { trainedOn: count.train, validatedOn: count.val };
}

function partsByDigest(folder: RunFolder): ReadonlyMap<string, "train" | "val"> {
  const lines = folder.lines<{ sha256: string; split: "train" | "val" }>("manifest");
  return new Map(lines.map(({ sha256, split }) => [sha256, split]));
}
