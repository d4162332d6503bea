/**
 * A folder's lock: a file that names the process which holds it. A process that died holds nothing,
 * and no two can take over from it: each dead holder may be replaced only by whoever holds the lock
 * that is named after it.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HilumError } from "./errors.ts";
import { guardDisk } from "./files.node.ts";

/** A process, told from another that has its number later. */
export interface Holder {
  readonly pid: number;
  /** When it started: numbers of processes are given again. */
  readonly started: string;
}

const LOCK_NAME = ".lock";

/**
 * Takes the folder's lock and returns what gives it back. Throws `folder-locked` where a live
 * process holds it.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK_NAME);
  // A name of its own each time: a file that a dead namesake left may be linked to the lock itself.
  const holder = thisProcess();
  const own = `${path}.${holder.pid}-${holder.started}-${randomBytes(6).toString("hex")}`;
  try {
    guardDisk(own, () => writeFileSync(own, JSON.stringify(holder)));
    const unlock = acquire(path, { own, folder });
    sweep(folder);
    return unlock;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Whether a live process holds the folder's lock. */
export function isFolderLocked(folder: string): boolean {
  const holder = holderIn(join(folder, LOCK_NAME));
  return holder !== undefined && isAlive(holder);
}

/** The process that runs this. */
export function thisProcess(): Holder {
  return { pid: process.pid, started: startTime(process.pid) ?? "" };
}

interface Applicant {
  /** The file that names this process. */
  readonly own: string;
  readonly folder: string;
}

function acquire(path: string, applicant: Applicant): () => void {
  const { own, folder } = applicant;
  for (;;) {
    if (isLinked(own, path)) return () => rmSync(path, { force: true });
    const before = textOf(path);
    if (before === undefined) continue;
    const holder = holderOf(before);
    if (holder && isAlive(holder))
      throw new HilumError(
        "folder-locked",
        `${folder} is in use by process ${holder.pid}. Wait for it, or stop it first.`,
        { folder, pid: holder.pid },
      );
    const release = acquire(`${path}.of-${holder?.pid}-${holder?.started}`, applicant);
    try {
      // Another may have replaced the dead one before its lock was ours.
      if (textOf(path) === before) {
        linkSync(own, `${own}.next`);
        renameSync(`${own}.next`, path);
        return () => rmSync(path, { force: true });
      }
    } finally {
      release();
    }
  }
}

/** Whether the name was free: a link fails where it exists, so that of two processes one wins. */
function isLinked(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

/** Removes what processes left that died on their way to the lock. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${LOCK_NAME}.`)) continue;
    // A file that names a process says so in its name as well: its contents may not be there yet.
    const [, pid, started] = name.match(/^\.lock\.(\d+)-(\d*)-/) ?? [];
    const holder = pid ? { pid: Number(pid), started: started! } : holderIn(join(folder, name));
    if (holder && !isAlive(holder)) rmSync(join(folder, name), { force: true });
  }
}

/** Undefined where the file is not there. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

function holderIn(path: string): Holder | undefined {
  const text = textOf(path);
  return text === undefined ? undefined : holderOf(text);
}

/** Undefined for what a power cut may have left of it. */
function holderOf(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** Whether the process that took the lock still runs: same number, same start. */
export function isAlive({ pid, started }: Holder): boolean {
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
