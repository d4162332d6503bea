/**
 * Digests of files, remembered by path, size and times, so that a second run need not read 100,000
 * films to find out that it knows them. The memory is a text file of lines that are only ever
 * appended; what is torn or foreign in it is passed over, and losing it costs time alone. In memory
 * is only where each line begins; the line is read when it is asked for.
 */
import { hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { appendFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ReadOptions, readImageBytes } from "../images/index.ts";
import { type DigestTable, digestTable, LARGEST_NUMBER } from "./digest-table.ts";

export interface DigestMemory {
  /** SHA-256 of the file, hexadecimal. Throws as `readImageBytes` does. */
  digest(path: string, options?: ReadOptions): Promise<string>;
  /** Writes down what was learned since the last time; that is looked up no longer. */
  save(): Promise<void>;
  /** Lets go of the file. What was not saved is lost. */
  close(): void;
}

interface WrittenDigests {
  find(key: string): string | undefined;
  close(): void;
}

const LINE = /^([0-9a-f]{32}) ([0-9a-f]{64})$/;
const HASHED_DIGITS = 8;
const KEY_BYTES = 32;
const LINE_BYTES = 97;
const CHUNK_BYTES = 65_536;
const NEWLINE = 10;
const SPACE = 32;
/** The length of a line that is none of ours. */
const FOREIGN = LINE_BYTES + 1;

/** The memory kept in a folder. The caller closes it. */
export async function openDigestMemory(folder: string): Promise<DigestMemory> {
  const file = join(folder, "digests.txt");
  const written = openWritten(file);
  let learned = new Map<string, string>();
  return {
    async digest(path, options) {
      const key = await identityOf(path);
      const remembered = key && (learned.get(key) ?? written?.find(key));
      if (remembered) return remembered;
      const digest = hash("sha256", await readImageBytes(path, options));
      if (key) learned.set(key, digest);
      return digest;
    },
    async save() {
      if (learned.size === 0) return;
      const lines = Array.from(learned, ([key, digest]) => `${key} ${digest}\n`).join("");
      learned = new Map();
      // The empty line ends whatever a killed process left half-written.
      await appendFile(file, `\n${lines}`);
    },
    close: () => written?.close(),
  };
}

/** What the file holds by now, or undefined where it cannot be read. */
function openWritten(file: string): WrittenDigests | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return undefined;
  }
  try {
    const line = Buffer.alloc(LINE_BYTES);
    const lineAt = (offset: number): string =>
      line.toString("latin1", 0, readSync(descriptor, line, 0, LINE_BYTES, offset));
    const places = placesOfLines(descriptor, (offset) => lineAt(offset).slice(0, KEY_BYTES));
    return {
      find(key) {
        let found: string | undefined;
        places.find(hashOf(key), (offset) => {
          // Read anew: another program may have cut the file or written over it.
          const [, own, digest] = LINE.exec(lineAt(offset)) ?? [];
          if (own === key) found = digest;
          return own === key;
        });
        return found;
      },
      close: () => closeSync(descriptor),
    };
  } catch {
    closeSync(descriptor);
    return undefined;
  }
}

/** Where each line begins, by the first 32 bits of its key; of two with one key, the later one. */
function placesOfLines(descriptor: number, keyAt: (offset: number) => string): DigestTable {
  const places = digestTable(Math.floor(fstatSync(descriptor).size / (LINE_BYTES + 1)));
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let begin = 0;
  let length = 0;
  let hashed = 0;
  const takeUp = () => {
    if (length === LINE_BYTES && begin <= LARGEST_NUMBER)
      places.put(hashed, begin, (offset) => keyAt(offset) === keyAt(begin));
  };
  for (let start = 0, read = 1; read > 0; start += read) {
    read = readSync(descriptor, chunk, 0, CHUNK_BYTES, start);
    for (let place = 0; place < read; place++) {
      const byte = chunk[place]!;
      if (byte === NEWLINE) {
        takeUp();
        begin = start + place + 1;
        length = hashed = 0;
      } else {
        const digit = digitOf(byte);
        if (length < HASHED_DIGITS) hashed = 16 * hashed + digit;
        const fits = length === KEY_BYTES ? byte === SPACE : digit >= 0;
        length = fits && length < LINE_BYTES ? length + 1 : FOREIGN;
      }
    }
  }
  takeUp();
  return places;
}

/** Of a hexadecimal digit as `hash` writes it; -1 of all else. */
function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  return byte >= 97 && byte <= 102 ? byte - 87 : -1;
}

function hashOf(key: string): number {
  return Number.parseInt(key.slice(0, HASHED_DIGITS), 16);
}

/**
 * What changes whenever a file's contents do: the change time cannot be set back by a program.
 * Hashed, because paths of films can name patients.
 */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeNs, ctimeNs, ino, dev } = await stat(path, { bigint: true });
    const identity = [resolve(path), dev, ino, size, mtimeNs, ctimeNs].join("\0");
    return hash("sha256", identity).slice(0, 32);
  } catch {
    return undefined;
  }
}
