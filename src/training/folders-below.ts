/** Where runs and sweeps lie. */
import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import { RUN_FILES } from "./run-folder.ts";
import { SWEEP_FILES } from "./sweep/sweep-folder.ts";

const DEEPEST = 5;

export interface FoldersBelow {
  readonly runs: readonly string[];
  readonly sweeps: readonly string[];
}

/** Folders of runs and of sweeps below one, from it; none where it is not there. */
export function foldersBelow(folder: string): FoldersBelow {
  const found = { runs: [] as string[], sweeps: [] as string[] };
  const search = (below: string, depth: number): void => {
    const entries = entriesOf(join(folder, below));
    const isHere = (file: string) => entries.some(({ name }) => name === file);
    if (isHere(SWEEP_FILES.store)) found.sweeps.push(below || ".");
    // A run holds no runs, but a fold's and a trial's folder do.
    if (isHere(RUN_FILES.config)) found.runs.push(below);
    else if (depth > 0)
      for (const entry of entries)
        if (entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
          search(join(below, entry.name), depth - 1);
  };
  search("", DEEPEST);
  return found;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // It may have been removed since it was listed.
    return [];
  }
}
