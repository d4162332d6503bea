/** Writing down what a run is, or making sure that a resumed one is still the same. */
import { existsSync } from "node:fs";
import type { Dataset, DatasetProblem } from "../datasets/index.ts";
import { HilumError } from "../errors.ts";
import { VERSION } from "../version.ts";
import type { RunData } from "./data.ts";
import type { Settings } from "./options.ts";
import type { Graphs } from "./plan.ts";
import { beginRun, makeCheckpointFolder, type RunConfig, type RunFolder } from "./run-folder.ts";

export interface Entry {
  readonly dataset: Dataset;
  readonly settings: Settings;
  readonly data: RunData;
  readonly graphs: Graphs;
  /** Path of the file that the backbone's weights come from. */
  readonly weights: string | null;
}

/** Throws `data-changed` and `settings-changed` where a resumed run would not repeat itself. */
export function enterRun(
  folder: RunFolder,
  { dataset, settings, data, graphs, weights }: Entry,
): void {
  if (folder.state() === "absent")
    beginRun(folder, configOf({ dataset, settings, data, weights }, graphs.sha256));
  else {
    const { manifestSha256, networkSha256 } = folder.config();
    if (manifestSha256 !== data.manifestSha256) refuseData(folder, data);
    if (networkSha256 === null)
      beginRun(folder, configOf({ dataset, settings, data, weights }, graphs.sha256));
    else if (networkSha256 !== graphs.sha256) refuseNetwork(folder);
  }
  makeCheckpointFolder(folder);
  if (!existsSync(folder.file("manifest"))) folder.write("manifest", data.manifest());
}

/** What a run is; without a network's digest the run of a head alone. */
export function configOf(
  {
    dataset,
    settings,
    data,
    weights,
  }: Omit<Entry, "graphs" | "data"> & { readonly data: Pick<RunData, "leaks" | "manifestSha256"> },
  networkSha256: string | null,
): RunConfig {
  return {
    format: 1,
    hilum: VERSION,
    data: dataset.root,
    settings,
    weights,
    manifestSha256: data.manifestSha256,
    networkSha256,
    leaks: data.leaks.map(({ message }) => message),
  };
}

function refuseNetwork(folder: RunFolder): never {
  const { hilum } = folder.config();
  const remedy =
    hilum === VERSION
      ? "Restore the code that makes the network or the loss"
      : `Go on with Hilum ${hilum}, which began it (this is ${VERSION})`;
  throw new HilumError(
    "settings-changed",
    `The network, its loss or its augmentation is not the one that ${folder.path} was trained with. ${remedy}, or choose another --out.`,
    { run: folder.path, option: "network", before: hilum, now: VERSION },
  );
}

function refuseData(folder: RunFolder, data: RunData): never {
  throw new HilumError(
    "data-changed",
    `The films are not those that ${folder.path} was trained on: ${difference(folder, data)} Restore them, or train into another --out.`,
    { run: folder.path },
  );
}

interface Line {
  readonly path: string;
  readonly sha256?: string;
}

/** The plainest difference first: a film that is gone moves others from part to part. */
function difference(folder: RunFolder, { manifest, problems }: RunData): string {
  const before = linesOf(Buffer.from(folder.read("manifest") ?? "").toString("utf8"));
  const now = linesOf([...manifest()].join(""));
  const gone = [...before.keys()].filter((path) => !now.has(path));
  if (gone.length > 0)
    return `${counted(gone)} can be read no longer${reasonOf(gone[0]!, problems)}.`;
  const come = [...now.keys()].filter((path) => !before.has(path));
  if (come.length > 0) return `${counted(come)} is new.`;
  const changed = [...now].filter(([path, { sha256 }]) => before.get(path)?.sha256 !== sha256);
  if (changed.length > 0) return `${counted(changed.map(([path]) => path))} has other contents.`;
  return "labels, patients or their parts changed.";
}

function counted(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0]! : `${paths[0]} and ${paths.length - 1} more:`;
}

function reasonOf(path: string, problems: readonly DatasetProblem[]): string {
  const problem = problems.find(({ key }) => key === path);
  return problem ? ` (${problem.message})` : "";
}

function linesOf(text: string): ReadonlyMap<string, Line> {
  const lines = text.split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const entry = JSON.parse(line) as Line;
      return [entry.path, entry];
    }),
  );
}
