/** The folder of a demo: what is in it, and the rules of entering it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { HilumError } from "../errors.ts";
import { guardDisk, writeFileAtomically } from "../files.node.ts";
import { lockFolder } from "../folder-lock.node.ts";
import type { DemoSettings } from "./settings.ts";

/** All names that a demo gives; it removes no others. */
export const DEMO_FILES = {
  settings: "demo.json",
  page: "demo.html",
  films: "films",
  /** Becomes `films` when the last film is drawn. */
  unfinishedFilms: "films.unfinished",
  cache: "cache",
  run: "run",
  /** The page of the reading demo, and the synthetic films that it draws. */
  reading: "reading.html",
  phantoms: "phantoms",
} as const;

/** Where one of these is, a demo has been. */
const TRACES = [DEMO_FILES.settings, DEMO_FILES.reading];

/**
 * Does the work while no other process may, in a folder that says which demo it holds. Throws
 * `run-exists`, `settings-changed`, `folder-locked`, `invalid-option`, `disk-full`.
 */
export async function withDemoFolder<T>(
  folder: string,
  settings: DemoSettings,
  { isFresh }: { readonly isFresh: boolean },
  work: () => Promise<T>,
): Promise<T> {
  refuseStrangers(folder);
  guardDisk(folder, () => mkdirSync(folder, { recursive: true }));
  const unlock = lockFolder(folder);
  try {
    if (isFresh)
      for (const name of Object.values(DEMO_FILES))
        rmSync(join(folder, name), { recursive: true, force: true });
    refuseChanges(folder, settings);
    writeFileAtomically(
      join(folder, DEMO_FILES.settings),
      `${JSON.stringify({ synthetic: true, ...settings })}\n`,
    );
    return await work();
  } finally {
    unlock();
  }
}

/** Throws `run-exists` for a folder of files that are no demo's, `invalid-option` for a file. */
export function refuseStrangers(folder: string): void {
  if (!existsSync(folder) || TRACES.some((name) => existsSync(join(folder, name)))) return;
  if (!statSync(folder).isDirectory())
    throw new HilumError(
      "invalid-option",
      `${folder} is a file, and a demo needs a folder. Choose another --out.`,
      { option: "out", value: folder },
    );
  const stranger = readdirSync(folder).find(
    // A demo that was interrupted while it drew leaves no page.
    (name) => !name.startsWith(".") && name !== DEMO_FILES.phantoms,
  );
  if (stranger === undefined) return;
  throw new HilumError(
    "run-exists",
    `${folder} holds no demo, but other files (${stranger}). Choose a new or empty folder as --out.`,
    { out: folder, file: stranger },
  );
}

function refuseChanges(folder: string, settings: DemoSettings): void {
  const before = readSettings(join(folder, DEMO_FILES.settings));
  if (!before) return;
  for (const [option, now] of Object.entries(settings))
    if (before[option] !== now)
      throw new HilumError(
        "settings-changed",
        `${folder} holds a demo with ${option} = ${JSON.stringify(before[option])}, not ${JSON.stringify(now)}. Repeat it with the same options, choose another --out, or begin anew with --fresh.`,
        { out: folder, option, before: before[option], now },
      );
}

function readSettings(path: string): Record<string, unknown> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new HilumError(
      "run-damaged",
      `${path} cannot be read as JSON. Begin the demo anew with --fresh.`,
      { path },
      cause,
    );
  }
}
