/** Files of weights beside a model: read from its own folder only, written under its own name. */
import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { HilumError } from "../errors.ts";
import { writeFileAtomically } from "../files.node.ts";
import type { ExternalData } from "./malformed.ts";
import type { ExternalPlacement } from "./write-tensor.ts";

const LARGEST_READ = 2 ** 30;

/**
 * Reads from files in the folder of `model`; nothing outside it is ever opened, nor anything but a
 * plain file. No more is read than twice what the files hold, whatever the model claims.
 * Throws `model-external-data`.
 */
export function externalReader(model: string): ExternalData {
  const unread = new Map<string, number>();
  return (location, offset, length) => {
    const fail = (problem: string, cause?: unknown): never => {
      throw new HilumError(
        "model-external-data",
        `${model}: its external data "${location}" ${problem}. Put the file beside the model as its publisher ships it.`,
        { model, location },
        cause,
      );
    };
    const path = pathInside(realpathSync(dirname(resolve(model))), location, fail);
    const info = statSync(path);
    if (!info.isFile()) fail("is not a plain file");
    if (offset + length > info.size)
      fail(`is too short: ${offset + length} bytes are needed, ${info.size} are there`);
    const left = (unread.get(path) ?? 2 * info.size) - length;
    if (left < 0) fail("is claimed by tensors that together exceed it by far");
    unread.set(path, left);
    return readRange(path, offset, length, fail);
  };
}

type Fail = (problem: string, cause?: unknown) => never;

function pathInside(folder: string, location: string, fail: Fail): string {
  const isInside = (path: string) => {
    const way = relative(folder, path);
    return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  const parts = location.split(/[/\\]/);
  if (isAbsolute(location) || parts.includes("..") || !isInside(join(folder, location)))
    fail("leaves the model's folder");
  try {
    const real = realpathSync(join(folder, location));
    return isInside(real) ? real : fail("is a link out of the model's folder");
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    return fail("is missing", cause);
  }
}

function readRange(path: string, offset: number, length: number, fail: Fail): Uint8Array {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const wanted = Math.min(LARGEST_READ, length - done);
      const count = readSync(file, bytes, done, wanted, offset + done);
      if (count === 0) fail("became shorter while it was read");
      done += count;
    }
    return bytes;
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    return fail(`cannot be read (${cause instanceof Error ? cause.message : cause})`, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Pages of memory: so aligned, a runtime can map the file instead of reading it. */
const ALIGNMENT = 4096;
const SMALLEST_EXTERNAL = 1024;

export interface ExternalWriter {
  readonly place: ExternalPlacement;
  /** Writes what was placed, before the model is replaced. */
  write(): void;
  /** Removes what only the replaced model read. */
  clean(): void;
}

/**
 * Collects large tensors for `NAME.data` beside the model. While an old model still reads a file
 * of that name, the new one is `NAME.1.data`, so that both are whole at any instant.
 */
export function externalWriter(model: string): ExternalWriter {
  const folder = dirname(model);
  const siblings = new Set(readdirSync(folder));
  const nameOf = (count: number) =>
    count === 0 ? `${basename(model)}.data` : `${basename(model)}.${count}.data`;
  let count = 0;
  while (siblings.has(nameOf(count))) count++;
  const location = nameOf(count);
  const parts: Uint8Array[] = [];
  let end = 0;
  return {
    place(_, bytes) {
      if (bytes.length < SMALLEST_EXTERNAL) return undefined;
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      parts.push(new Uint8Array(offset - end), bytes);
      end = offset + bytes.length;
      return { location, offset };
    },
    write() {
      if (parts.length > 0) writeFileAtomically(join(folder, location), parts);
    },
    clean() {
      for (const name of siblings)
        if (name !== location && isDataOf(name, basename(model)))
          rmSync(join(folder, name), { force: true });
    },
  };
}

function isDataOf(name: string, model: string): boolean {
  return name.startsWith(`${model}.`) && /^(\d+\.)?data$/.test(name.slice(model.length + 1));
}
