/** Files that are whole or not there: temporary name, write, sync, rename. And a folder's lock. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { HilumError } from "./errors.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Runs file work; a full disk becomes `disk-full` naming the path, and other failures pass on. */
export function guardDisk<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!FULL.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    throw new HilumError(
      "disk-full",
      `Cannot write ${path}: the disk (or quota) is full. Free some space and run the same command again.`,
      { path },
      cause,
    );
  }
}

/** More than two gigabytes cannot be written at once. */
const LARGEST_WRITE = 2 ** 30;

/**
 * Writes a file, whole or from parts, so that at any instant either the old or the whole new one
 * is there.
 */
export function writeFileAtomically(
  path: string,
  contents: string | Uint8Array | readonly Uint8Array[],
): void {
  const whole = typeof contents === "string" ? Buffer.from(contents) : contents;
  const parts = whole instanceof Uint8Array ? [whole] : whole;
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  guardDisk(path, () => {
    try {
      const file = openSync(temporary, "w");
      try {
        for (const bytes of parts)
          for (let offset = 0; offset < bytes.length; )
            offset += writeSync(
              file,
              bytes,
              offset,
              Math.min(LARGEST_WRITE, bytes.length - offset),
            );
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
      syncFolder(dirname(path));
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw cause;
    }
  });
}

function syncFolder(path: string): void {
  // Some systems cannot open a folder; the rename is then as durable as they make it.
  try {
    const folder = openSync(path, "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch {}
}

interface Holder {
  readonly pid: number;
  readonly started: string;
}

const LOCK_NAME = ".lock";

/**
 * Takes the folder's lock and returns what gives it back. A live holder is refused with
 * `folder-locked`; a dead one's lock is taken over.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK_NAME);
  const own = join(folder, `${LOCK_NAME}.${process.pid}`);
  const holder: Holder = { pid: process.pid, started: startTime(process.pid) ?? "" };
  guardDisk(own, () => writeFileSync(own, JSON.stringify(holder)));
  try {
    // A link fails when the name exists, so of two processes one wins.
    for (let attempt = 0; ; attempt++) {
      try {
        linkSync(own, path);
        return () => rmSync(path, { force: true });
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 3) throw cause;
      }
      const other = readHolder(path);
      if (other && isAlive(other))
        throw new HilumError(
          "folder-locked",
          `${folder} is in use by process ${other.pid}. Wait for it, or stop it first.`,
          { folder, pid: other.pid },
        );
      takeAway(path, own);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Renames a dead lock to a name of our own before removing it, so that two takers cannot both remove. */
function takeAway(path: string, own: string): void {
  try {
    renameSync(path, `${own}.dead`);
    rmSync(`${own}.dead`, { force: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

/** Whether the process that took the lock still runs: same number, same start. */
function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const current = startTime(pid);
  return current === undefined ? started === "" : current === started;
}

/** When a process started, in ticks since boot; undefined where the system does not tell. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie holds nothing any more.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
