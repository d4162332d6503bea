/**
 * All packs of one setting: a folder in which a film is looked up by its file's digest. Packs of
 * other processes are taken up as they appear. A pack is checked, record by record, before the
 * first film is taken from it; a damaged one is deleted, and its films are made again.
 *
 * Records are numbered through all packs, in the order of taking up. A film costs its digest and a
 * place in the table, 42-47 bytes outside of V8's heap, and nothing but the digest, or not even
 * that, once it is known what is kept.
 */
import { closeSync, readSync, rmSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  DIGEST_BYTES,
  isPackWhole,
  openPack,
  PACK_SUFFIX,
  type Pack,
  type PackedRecord,
  TEMPORARY_PREFIX,
  writePack,
} from "./cache-pack.ts";
import { digestTable } from "./digest-table.ts";

export interface PackStore {
  /** Takes up what other processes have added, and forgets what is damaged. */
  refresh(): Promise<void>;
  /** The number of a film's record, in a pack that was checked; undefined where it is not stored. */
  find(digest: string): number | undefined;
  add(records: readonly PackedRecord[]): Promise<void>;
  /** The digest of a record that was found, hexadecimal. */
  digestOf(record: number): string;
  /**
   * Copies a record that was found to that place of `out`. Synchronous, and allocates nothing. False
   * where its pack became shorter meanwhile.
   */
  readInto(record: number, out: Uint8Array, at: number): boolean;
  /**
   * Keeps open only the packs that hold one of these records, which alone can be read from then on:
   * none can be found any more, and without `digests` they are forgotten too.
   */
  keep(records: Uint32Array, options: { readonly digests: boolean }): void;
  close(): void;
}

interface NumberedPack extends Omit<Pack, "digests" | "checksums"> {
  /** The number of its first record. */
  readonly first: number;
  digests: Buffer;
  /** Until it was checked. */
  checksums: Uint32Array | undefined;
}

/** What a killed process left is nobody's after an hour: a pack is written in seconds. */
const ABANDONED_MS = 3_600_000;

/** Opens, and where necessary makes, the store in a folder. */
export async function openPackStore(folder: string, recordBytes: number): Promise<PackStore> {
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  /** In the order of their numbers. */
  let packs: NumberedPack[] = [];
  let next = 0;
  let table = digestTable();
  const names = new Set<string>();
  const scratch = new Uint8Array(recordBytes);
  const wanted = Buffer.alloc(DIGEST_BYTES);

  const packOf = (number: number): NumberedPack => {
    let [low, beyond] = [0, packs.length];
    while (beyond - low > 1) {
      const middle = (low + beyond) >>> 1;
      if (packs[middle]!.first <= number) low = middle;
      else beyond = middle;
    }
    return packs[low]!;
  };

  const isAt = (digests: Buffer, from: number) => (number: number) => {
    const { digests: own, first } = packOf(number);
    const begin = (number - first) * DIGEST_BYTES;
    return digests.compare(own, begin, begin + DIGEST_BYTES, from, from + DIGEST_BYTES) === 0;
  };

  const enter = ({ digests, first, count }: NumberedPack) => {
    for (let place = 0; place < count; place++) {
      const from = place * DIGEST_BYTES;
      const hash = digests.readUInt32BE(from);
      if (table.find(hash, isAt(digests, from)) === undefined) table.put(hash, first + place);
    }
  };

  const drop = (pack: NumberedPack) => {
    packs = packs.filter((other) => other !== pack);
    names.delete(basename(pack.path));
    closeSync(pack.descriptor);
    rmSync(pack.path, { force: true });
    // A film of the lost pack may lie in another one too.
    table = digestTable(next);
    packs.forEach(enter);
  };

  const isWhole = (pack: NumberedPack): boolean => {
    if (pack.checksums && !isPackWhole(pack.descriptor, pack.checksums, scratch)) return false;
    pack.checksums = undefined;
    return true;
  };

  const takeUp = (name: string) => {
    const path = join(folder, name);
    try {
      const opened = openPack(path, recordBytes);
      if (!opened) return rmSync(path, { force: true });
      const pack: NumberedPack = { ...opened, first: next };
      next += pack.count;
      names.add(name);
      packs.push(pack);
      enter(pack);
    } catch (error) {
      // Another process found it damaged and deleted it in between.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  };

  return {
    async refresh() {
      const there = await readdir(folder);
      const added = there.filter((name) => name.endsWith(PACK_SUFFIX) && !names.has(name));
      added.sort().forEach(takeUp);
    },
    find(digest) {
      wanted.write(digest, "hex");
      for (;;) {
        const number = table.find(wanted.readUInt32BE(), isAt(wanted, 0));
        if (number === undefined) return undefined;
        const pack = packOf(number);
        if (isWhole(pack)) return number;
        drop(pack);
      }
    },
    async add(records) {
      const name = basename(await writePack(folder, records, recordBytes));
      if (!names.has(name)) takeUp(name);
    },
    digestOf(number) {
      const { digests, first } = packOf(number);
      const begin = (number - first) * DIGEST_BYTES;
      return digests.toString("hex", begin, begin + DIGEST_BYTES);
    },
    readInto(number, out, at) {
      const { descriptor, first } = packOf(number);
      return (
        readSync(descriptor, out, at, recordBytes, (number - first) * recordBytes) === recordBytes
      );
    },
    keep(records, { digests }) {
      const kept = new Set<NumberedPack>();
      for (const number of records) kept.add(packOf(number));
      for (const pack of packs) {
        if (!kept.has(pack)) closeSync(pack.descriptor);
        if (!digests) pack.digests = Buffer.alloc(0);
      }
      packs = packs.filter((pack) => kept.has(pack));
      table = digestTable();
    },
    close() {
      for (const { descriptor } of packs) closeSync(descriptor);
      packs = [];
      table = digestTable();
    },
  };
}

async function removeAbandoned(folder: string): Promise<void> {
  const now = Date.now();
  for (const name of await readdir(folder)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = join(folder, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_MS) await rm(path, { force: true });
  }
}
