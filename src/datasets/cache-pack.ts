/**
 * A pack: many films of one size (or the features of many films) in one file, found by the SHA-256
 * of the file that each was read from. Records, then an index in JSON, then a trailer that says where
 * the index begins; every part is covered by a checksum. A pack is written under a temporary name and
 * renamed when it is whole, and its name is made of its contents: two processes that make the same
 * pack replace it by itself.
 */
import { hash, randomBytes } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

export interface PackedRecord {
  /** SHA-256 of the source file's bytes, hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

export interface Pack {
  readonly path: string;
  readonly descriptor: number;
  /** Records. */
  readonly count: number;
  /** Of each record, 32 bytes. */
  readonly digests: Buffer;
  /** Of each record. */
  readonly checksums: Uint32Array;
}

export const DIGEST_BYTES = 32;

export const PACK_SUFFIX = ".pack";
export const TEMPORARY_PREFIX = ".unfinished-";

const MAGIC = "HILUMPK1";
/** Magic, records' bytes, index's bytes, index's checksum. */
const TRAILER_BYTES = 24;

/** Writes the records, all of `recordBytes`, and returns the pack's path once it is safely on disk. */
export async function writePack(
  folder: string,
  records: readonly PackedRecord[],
  recordBytes: number,
): Promise<string> {
  const entries = records.map(({ digest, bytes }) => [digest, crc32(bytes)]);
  const index = Buffer.from(JSON.stringify({ recordBytes, entries }));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.write(MAGIC, "latin1");
  trailer.writeDoubleLE(records.length * recordBytes, 8);
  trailer.writeUInt32LE(index.length, 16);
  trailer.writeUInt32LE(crc32(index), 20);
  const name = hash("sha256", index).slice(0, 32);
  const path = join(folder, `${name}${PACK_SUFFIX}`);
  const temporary = join(
    folder,
    `${TEMPORARY_PREFIX}${process.pid}-${randomBytes(6).toString("hex")}`,
  );
  try {
    const file = await open(temporary, "wx");
    try {
      for (const { bytes } of records) await file.writeFile(bytes);
      await file.writeFile(index);
      await file.writeFile(trailer);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
  return path;
}

/** A rename lasts through a power cut only once the folder is on disk as well; not all systems can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {}
}

/** The opened pack, or undefined where the file is not a whole pack of such records. The caller closes it. */
export function openPack(path: string, recordBytes: number): Pack | undefined {
  const descriptor = openSync(path, "r");
  let index: ReturnType<typeof readIndex>;
  try {
    index = readIndex(descriptor, recordBytes);
    return index && { path, descriptor, ...index };
  } finally {
    if (!index) closeSync(descriptor);
  }
}

function readIndex(
  descriptor: number,
  recordBytes: number,
): Pick<Pack, "count" | "digests" | "checksums"> | undefined {
  const { size } = fstatSync(descriptor);
  if (size < TRAILER_BYTES) return undefined;
  const trailer = Buffer.alloc(TRAILER_BYTES);
  readSync(descriptor, trailer, 0, TRAILER_BYTES, size - TRAILER_BYTES);
  const records = trailer.readDoubleLE(8);
  const length = trailer.readUInt32LE(16);
  if (trailer.toString("latin1", 0, 8) !== MAGIC) return undefined;
  if (records + length + TRAILER_BYTES !== size) return undefined;
  const index = Buffer.alloc(length);
  readSync(descriptor, index, 0, length, records);
  if (crc32(index) !== trailer.readUInt32LE(20)) return undefined;
  const parsed = JSON.parse(index.toString()) as {
    readonly recordBytes: number;
    readonly entries: readonly (readonly [string, number])[];
  };
  const { entries } = parsed;
  const count = entries.length;
  if (parsed.recordBytes !== recordBytes || count * recordBytes !== records) return undefined;
  const digests = Buffer.alloc(count * DIGEST_BYTES);
  const checksums = new Uint32Array(count);
  for (const [place, [digest, checksum]] of entries.entries()) {
    digests.write(digest, place * DIGEST_BYTES, "hex");
    checksums[place] = checksum;
  }
  return { count, digests, checksums };
}

/** True when every record still has the checksum that it was written with. `record` is written over. */
export function isPackWhole(
  descriptor: number,
  checksums: Uint32Array,
  record: Uint8Array,
): boolean {
  return checksums.every((checksum, place) => {
    const read = readSync(descriptor, record, 0, record.length, place * record.length);
    return read === record.length && crc32(record) === checksum;
  });
}
