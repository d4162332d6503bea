/**
 * Digests of files, remembered by path, size and times, so that a second run need not read 100,000
 * films to find out that it knows them. The memory is a text file of lines that are only ever
 * appended; what is torn or foreign in it is passed over, and losing it costs time alone.
 */
import { hash } from "node:crypto";
import { appendFile, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ReadOptions, readImageBytes } from "../images/index.ts";

export interface DigestMemory {
  /** SHA-256 of the file, hexadecimal. Throws as `readImageBytes` does. */
  digest(path: string, options?: ReadOptions): Promise<string>;
  /** Writes down what was learned since the last time. */
  save(): Promise<void>;
}

const LINE = /^([0-9a-f]{32}) ([0-9a-f]{64})$/;

/** The memory kept in a folder. */
export async function openDigestMemory(folder: string): Promise<DigestMemory> {
  const file = join(folder, "digests.txt");
  const known = new Map<string, string>();
  for (const line of (await readFile(file, "latin1").catch(() => "")).split("\n")) {
    const [, key, digest] = LINE.exec(line) ?? [];
    if (key && digest) known.set(key, digest);
  }
  let learned: string[] = [];
  return {
    async digest(path, options) {
      const key = await identityOf(path);
      const remembered = key && known.get(key);
      if (remembered) return remembered;
      const digest = hash("sha256", await readImageBytes(path, options));
      if (key) {
        known.set(key, digest);
        learned.push(`${key} ${digest}\n`);
      }
      return digest;
    },
    async save() {
      if (learned.length === 0) return;
      const lines = learned.join("");
      learned = [];
      // The empty line ends whatever a killed process left half-written.
      await appendFile(file, `\n${lines}`);
    },
  };
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
