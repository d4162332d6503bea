/** Who may work in a run's folder: one process at a time, and none where something else lies. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { HilumError } from "../errors.ts";
import { guardDisk } from "../files.node.ts";
import { lockFolder } from "../folder-lock.node.ts";
import { CHECKPOINTS, HEAD_FOLDER, type RunFolder } from "./run-folder.ts";

/**
 * Does the work while no other process may, in a folder that is made if need be and removed again
 * when nothing came into it. Throws `folder-locked`, `run-exists`, `invalid-option`, `disk-full`.
 */
export async function withRunFolder<T>(
  folder: RunFolder,
  { isResumed }: { readonly isResumed: boolean },
  work: () => Promise<T>,
): Promise<T> {
  refuseEntry(folder, { isResumed });
  const isOurs = makeFolder(folder.path);
  let unlock: (() => void) | undefined;
  try {
    unlock = lockFolder(folder.path);
    // Another process may have come and gone before the lock was ours.
    refuseEntry(folder, { isResumed });
    removeUnfinished(folder.path);
    return await work();
  } finally {
    unlock?.();
    if (isOurs) removeEmpty(folder.path);
  }
}

function refuseEntry(folder: RunFolder, { isResumed }: { isResumed: boolean }): void {
  const state = folder.state();
  if (state !== "absent" && !isResumed)
    throw new HilumError(
      "run-exists",
      `${folder.path} holds a run already. Go on with it by --resume, or choose another --out.`,
      { run: folder.path, state },
    );
  if (state === "absent") refuseStrangers(folder.path);
}

/** Throws `run-exists` for a folder with files of another origin: names might coincide. */
export function refuseStrangers(path: string): void {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory())
    throw new HilumError(
      "invalid-option",
      `${path} is a file, and a run needs a folder. Choose another --out.`,
      { option: "out", value: path },
    );
  const stranger = readdirSync(path).find((name) => !name.startsWith("."));
  if (stranger === undefined) return;
  throw new HilumError(
    "run-exists",
    `${path} is no run, but holds files already (${stranger}). Choose a new or empty folder as --out.`,
    { run: path, state: "other", file: stranger },
  );
}

/** Returns whether the folder is new. */
function makeFolder(path: string): boolean {
  const isNew = !existsSync(path);
  try {
    guardDisk(path, () => mkdirSync(path, { recursive: true }));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof HilumError || code === undefined) throw cause;
    throw new HilumError(
      "file-forbidden",
      `The folder ${path} cannot be made (${code}). Check the path and its permissions, or choose another --out.`,
      { path, reason: code },
      cause,
    );
  }
  return isNew;
}

/** What a killed process was writing when it ended. */
function removeUnfinished(path: string): void {
  for (const below of [path, join(path, CHECKPOINTS), join(path, HEAD_FOLDER)])
    for (const name of existsSync(below) ? readdirSync(below) : [])
      if (/^\..*\.tmp$/.test(name)) rmSync(join(below, name), { force: true });
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "ENOENT") throw error;
  }
}
