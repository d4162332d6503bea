/**
 * A file from an address to a path: fetched into a folder beside it, taken up again where it broke
 * off (also by the next process, after a kill -9), held against its publisher's statement, and only
 * then put in place by a rename. Of several processes one fetches and the others wait for it.
 */
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { HilumError, isHilumError } from "../../errors.ts";
import { lockFolder } from "../../folder-lock.node.ts";
import { differenceFrom, inWords, type Statement } from "./digest.node.ts";
import { fetchPart, type PartProgress, Transient } from "./fetch-part.node.ts";

export interface Patience {
  /** Failures in a row, without a byte more than ever before, after which it is given up. */
  readonly attempts: number;
  /** Before the second attempt; doubled each time. */
  readonly pauseMs: number;
  /** Without a byte for so long a connection is dead. */
  readonly stallMs: number;
}

const PATIENCE: Patience = { attempts: 5, pauseMs: 500, stallMs: 30_000 };
const LOCK_POLL_MS = 250;

export interface DownloadOptions extends Statement {
  readonly url: string;
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  /** `total` is null where neither publisher nor server say it. */
  readonly onProgress?: ((progress: PartProgress) => void) | undefined;
  /** Called once where another process fetches the same file. */
  readonly onWait?: ((pid: unknown) => void) | undefined;
  readonly patience?: Patience | undefined;
}

/**
 * Puts the file at `path` unless it is there already. Throws `download-failed` (what came is kept
 * for the next attempt), `weights-unverified` (it is thrown away), `disk-full` and `interrupted`.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { path } = options;
  const folder = `${path}.partial`;
  const unlock = await lockPatiently(folder, options);
  try {
    if (existsSync(path) && !differenceFrom(path, options)) return;
    const part = join(folder, "data");
    await fetchWhole(part, options);
    renameSync(part, path);
    await syncFolder(dirname(path));
  } finally {
    unlock();
    // What is left in it is another attempt's, or another process is about to lock it.
    try {
      rmdirSync(folder);
    } catch {}
  }
}

async function lockPatiently(
  folder: string,
  { signal, onWait, path }: DownloadOptions,
): Promise<() => void> {
  for (let isSaid = false; ; ) {
    try {
      mkdirSync(folder, { recursive: true });
      return lockFolder(folder);
    } catch (error) {
      // Whoever finished first removed the folder between the two calls.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      if (!isHilumError(error) || error.code !== "folder-locked") throw error;
      if (!isSaid) onWait?.(error.details.pid);
      isSaid = true;
      await pause(LOCK_POLL_MS, undefined, signal ? { signal } : {}).catch(() => interrupted(path));
    }
  }
}

async function fetchWhole(part: string, options: DownloadOptions): Promise<void> {
  const { url, path, signal, patience = PATIENCE } = options;
  let isResumed = sizeOf(part) > 0;
  let best = sizeOf(part);
  for (let failures = 0; ; ) {
    const outcome = await fetchPart(part, { ...options, stallMs: patience.stallMs }).catch(
      (error: unknown) => error as Error,
    );
    if (signal?.aborted) interrupted(path);
    if (!outcome) {
      const difference = differenceFrom(part, options);
      if (!difference) return;
      rmSync(part);
      // The beginning may be of another file than the rest.
      if (isResumed) {
        isResumed = false;
        best = 0;
        continue;
      }
      throw new HilumError(
        "weights-unverified",
        `The file from ${url} ${inWords(difference)}, which its publisher states; it was thrown away. Try again, or another mirror (--mirror URL).`,
        { url, ...difference },
      );
    }
    if (!(outcome instanceof Transient)) throw outcome;
    const size = sizeOf(part);
    failures = size > best ? 1 : failures + 1;
    best = Math.max(best, size);
    isResumed ||= size > 0;
    if (failures >= patience.attempts)
      throw new HilumError(
        "download-failed",
        `${url} could not be fetched: ${outcome.message} (${patience.attempts} attempts).${size > 0 ? ` ${size} bytes are kept: the same command goes on from there.` : ""} Without a connection, bring the file itself (--file FILE).`,
        { url, reason: outcome.message, bytesKept: size, path },
        outcome,
      );
    const waitMs = outcome.retryAfterMs ?? patience.pauseMs * 2 ** (failures - 1);
    await pause(waitMs, undefined, signal ? { signal } : {}).catch(() => interrupted(path));
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function interrupted(path: string): never {
  throw new HilumError(
    "interrupted",
    `Stopped. What came of ${path} is kept: the same command goes on from there.`,
    { path },
  );
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch {
    // Some systems cannot open a folder; the rename is then as durable as they make it.
  } finally {
    await handle?.close();
  }
}
