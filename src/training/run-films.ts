/** Which films a run used, from its manifest. */
import type { RunFolder } from "./run-folder.ts";
import { refuseDamaged } from "./run-folder.ts";

export interface RunFilms {
  /** Keys below the root of the data. */
  readonly train: ReadonlySet<string>;
  readonly validation: ReadonlySet<string>;
}

/** Throws `run-damaged`. */
export function filmsOfRun(folder: RunFolder): RunFilms {
  const parts = { train: new Set<string>(), val: new Set<string>() };
  const text = Buffer.from(folder.read("manifest") ?? "").toString("utf8");
  for (const line of text.split("\n").filter(Boolean)) {
    try {
      const { path, split } = JSON.parse(line) as { path: string; split: "train" | "val" };
      parts[split].add(path);
    } catch (cause) {
      refuseDamaged(folder.file("manifest"), "has a line that cannot be read", cause);
    }
  }
  return { train: parts.train, validation: parts.val };
}
