/** Which films a run used, from its manifest; told by their contents, wherever they lie now. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type RunFolder, refuseDamaged } from "./run-folder.ts";

export interface FilmsSeen {
  readonly trainedOn: number;
  /** Films that chose the epoch and the operating point. */
  readonly validatedOn: number;
}

/** How many of these files a run was trained on, or chose its epoch by. Throws `run-damaged`. */
export async function filmsSeenBy(folder: RunFolder, paths: readonly string[]): Promise<FilmsSeen> {
  const partOf = partsByDigest(folder);
  const count = { train: 0, val: 0 };
  for (const path of paths) {
    const part = partOf.get(hash("sha256", await readFile(path)));
    if (part) count[part]++;
  }
  return { trainedOn: count.train, validatedOn: count.val };
}

function partsByDigest(folder: RunFolder): ReadonlyMap<string, "train" | "val"> {
  const parts = new Map<string, "train" | "val">();
  const text = Buffer.from(folder.read("manifest") ?? "").toString("utf8");
  for (const line of text.split("\n").filter(Boolean)) {
    try {
      const { sha256, split } = JSON.parse(line) as { sha256: string; split: "train" | "val" };
      parts.set(sha256, split);
    } catch (cause) {
      refuseDamaged(folder.file("manifest"), "has a line that cannot be read", cause);
    }
  }
  return parts;
}
