/** Rows of runs, read again only where their files changed: a thousand runs are listed in a blink. */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFolderLocked } from "../../folder-lock.node.ts";
import { foldersBelow, RUN_FILES, type RunRow, rowOf } from "../../training/index.ts";

export interface RunWatch {
  /** All rows as they are now, newest first. */
  rows(): RunRow[];
  /** Rows that changed since the version, and the version they make. */
  since(version: number): { readonly version: number; readonly rows: readonly RunRow[] };
  /** Folders of sweeps, from the one that is watched. */
  sweeps(): readonly string[];
}

interface Known {
  readonly stamp: string;
  readonly row: RunRow | undefined;
  readonly version: number;
}

/** Watches the runs below a folder, which may not be there yet. */
export function watchRuns(folder: string): RunWatch {
  const root = resolve(folder);
  const known = new Map<string, Known>();
  let version = 0;
  let sweeps: readonly string[] = [];
  const look = () => {
    const found = foldersBelow(root);
    sweeps = found.sweeps;
    const there = new Set(found.runs);
    for (const path of known.keys()) if (!there.has(path)) known.delete(path);
    let isChanged = false;
    for (const path of found.runs) {
      const stamp = stampOf(join(root, path));
      if (known.get(path)?.stamp === stamp) continue;
      if (!isChanged) version++;
      isChanged = true;
      known.set(path, { stamp, row: rowOf(join(root, path), root), version });
    }
  };
  const rowsOf = (entries: readonly Known[]) =>
    entries.flatMap(({ row }) => row ?? []).sort((a, b) => b.time - a.time);
  return {
    rows() {
      look();
      return rowsOf([...known.values()]);
    },
    since(before) {
      look();
      return {
        version,
        rows: rowsOf([...known.values()].filter((entry) => entry.version > before)),
      };
    },
    sweeps: () => sweeps,
  };
}

/** Changes whenever a run's history grows, its end comes, or a process takes it up or leaves it. */
function stampOf(run: string): string {
  const { config, headHistory, history, result } = RUN_FILES;
  const files = [config, headHistory, history, result]
    .map((name) => {
      const stat = statSync(join(run, name), { throwIfNoEntry: false });
      return stat ? `${stat.mtimeMs}-${stat.size}` : "";
    })
    .join(" ");
  return `${files} ${isFolderLocked(run)}`;
}
