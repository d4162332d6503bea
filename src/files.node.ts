/** Files that are whole or not there: temporary name, write, sync, rename. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
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

/** What a file is to hold, whole or in parts, which are asked for one by one. */
export type FileContents = string | Uint8Array | Iterable<string | Uint8Array>;

/**
 * Writes a file, whole or from parts, so that at any instant either the old or the whole new one
 * is there.
 */
export function writeFileAtomically(path: string, contents: FileContents): void {
  const isWhole = typeof contents === "string" || contents instanceof Uint8Array;
  const parts = bytesOf(isWhole ? [contents] : contents);
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

/** Characters that short texts are gathered to, so that a file of lines takes few calls. */
const GATHERED = 2 ** 16;

function* bytesOf(parts: Iterable<string | Uint8Array>): Generator<Uint8Array, void, undefined> {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    if (text !== "" && (typeof part !== "string" || text.length >= GATHERED)) {
      yield Buffer.from(text);
      text = "";
    }
    if (typeof part !== "string") yield part;
  }
  if (text !== "") yield Buffer.from(text);
}

function syncFolder(path: string): void {
  // Some systems cannot open a folder; the rename is then as durable as they make it.
  try {
    const folder = openSync(path, "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch {}
}
