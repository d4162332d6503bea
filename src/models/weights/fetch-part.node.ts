/** One request for what a partial file still lacks, and what servers may answer to it. */
import { rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { HilumError } from "../../errors.ts";

export interface PartProgress {
  readonly done: number;
  readonly total: number | null;
}

export interface PartOptions {
  readonly url: string;
  readonly bytes: number | null;
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PartProgress) => void) | undefined;
}

/** A failure that another attempt may not meet. */
export class Transient extends Error {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);
const LONGEST_RETRY_AFTER_S = 60;
const NO_SPACE = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Appends to the file at `part` what it lacks, and returns when the server says that it is whole.
 * Throws `Transient`, `download-failed` (the address is wrong) and `disk-full`.
 */
export async function fetchPart(part: string, options: PartOptions): Promise<undefined> {
  const have = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  const stall = new AbortController();
  const signals = [stall.signal, ...(options.signal ? [options.signal] : [])];
  let timer = setTimeout(() => stall.abort(), options.stallMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stall.abort(), options.stallMs);
  };
  try {
    const response = await fetch(options.url, {
      // Compressed answers have neither the length nor the ranges of the file.
      headers: { "accept-encoding": "identity", ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
      signal: AbortSignal.any(signals),
    });
    const range = rangeOf(response);
    if (response.status === 416 && have > 0 && range.total === have) return;
    checkStatus(response, options.url, part);
    const isContinued = response.status === 206;
    if (isContinued && range.start !== have) {
      rmSync(part, { force: true });
      throw new Transient("the server sent another range than was asked for", 0);
    }
    const from = isContinued ? have : 0;
    const file = await open(part, isContinued ? "a" : "w");
    try {
      await append(file, response, {
        ...options,
        from,
        total: options.bytes ?? range.total,
        alive,
      });
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw failure(cause, { isStalled: stall.signal.aborted, part, options });
  } finally {
    clearTimeout(timer);
    // Lets go of the connection where the answer was not read to its end.
    stall.abort();
  }
}

interface Appending extends PartOptions {
  readonly from: number;
  readonly total: number | null;
  alive(): void;
}

async function append(
  file: FileHandle,
  { body }: Response,
  { from, total, bytes, alive, onProgress, url }: Appending,
): Promise<void> {
  let done = from;
  onProgress?.({ done, total });
  for await (const chunk of body ?? []) {
    alive();
    done += chunk.length;
    if (bytes !== null && done > bytes)
      throw new HilumError(
        "weights-unverified",
        `${url} sends more than the ${bytes} bytes that the publisher states. Try another mirror (--mirror URL).`,
        { url, field: "bytes", expected: bytes, found: done },
      );
    await file.writeFile(chunk);
    onProgress?.({ done, total });
  }
  const whole = bytes ?? total;
  if (whole !== null && done < whole)
    throw new Transient(`it ended after ${done} of ${whole} bytes`);
}

/** The first byte and the size of the whole that the answer speaks of. */
function rangeOf({ status, headers }: Response): { start: number; total: number | null } {
  const [, start, total] = headers.get("content-range")?.match(/(?:(\d+)-\d+|\*)\/(\d+|\*)/) ?? [];
  if (status === 206 || status === 416)
    return { start: Number(start ?? -1), total: total && total !== "*" ? Number(total) : null };
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  return { start: 0, total: length === null ? null : Number(length) };
}

function checkStatus(response: Response, url: string, part: string): void {
  const { status, headers } = response;
  if (status === 200 || status === 206) return;
  if (status === 416) {
    rmSync(part, { force: true });
    throw new Transient("the server does not have the rest of what is here", 0);
  }
  const said = `the server answers ${status} ${response.statusText}`.trim();
  const after = Number(headers.get("retry-after") ?? Number.NaN);
  if (BUSY.has(status))
    throw new Transient(said, after <= LONGEST_RETRY_AFTER_S ? after * 1000 : undefined);
  throw new HilumError(
    "download-failed",
    `${url} could not be fetched: ${said}. Name a mirror (--mirror URL) or bring the file itself (--file FILE).`,
    { url, status },
  );
}

function failure(
  cause: unknown,
  { isStalled, part, options }: { isStalled: boolean; part: string; options: PartOptions },
): unknown {
  if (cause instanceof HilumError) {
    if (cause.code === "weights-unverified") rmSync(part, { force: true });
    return cause;
  }
  if (cause instanceof Transient) return cause;
  if (isStalled) return new Transient(`no byte came for ${options.stallMs / 1000} s`);
  const error = cause as NodeJS.ErrnoException;
  if (NO_SPACE.has(error.code ?? ""))
    return new HilumError(
      "disk-full",
      `Cannot write ${part}: the disk (or quota) is full. Free some space and run the same command again.`,
      { path: part },
      cause,
    );
  if (error.code && "syscall" in error && "path" in error) return error;
  const inner = error.cause as NodeJS.ErrnoException | undefined;
  return new Transient(inner?.code ?? inner?.message ?? error.message, undefined, cause);
}
