/**
 * All packs of one setting: a folder in which a film is looked up by its file's digest. Packs of
 * other processes are taken up as they appear. A pack is checked, record by record, before the
 * first film is taken from it; a damaged one is deleted, and its films are made again.
 */
import { closeSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  isPackWhole,
  openPack,
  PACK_SUFFIX,
  type Pack,
  type PackedRecord,
  TEMPORARY_PREFIX,
  writePack,
} from "./cache-pack.ts";

export interface Location {
  readonly digest: string;
  readonly descriptor: number;
  readonly offset: number;
}

export interface PackStore {
  /** Takes up what other processes have added, and forgets what is damaged. */
  refresh(): Promise<void>;
  /** Where a film lies, in a pack that was checked; undefined where it is not stored. */
  find(digest: string): Promise<Location | undefined>;
  add(records: readonly PackedRecord[]): Promise<void>;
  /** Keeps only the packs open that hold one of the locations; `close` closes those as well. */
  keep(locations: Iterable<Location>): void;
  close(): void;
}

/** What a killed process left is nobody's after an hour: a pack is written in seconds. */
const ABANDONED_MS = 3_600_000;

/** Opens, and where necessary makes, the store in a folder. */
export async function openPackStore(folder: string, recordBytes: number): Promise<PackStore> {
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const packs = new Map<string, Pack>();
  const checked = new Set<Pack>();
  const places = new Map<string, { readonly pack: Pack; readonly offset: number }>();

  const takeUp = (pack: Pack) => {
    packs.set(pack.path, pack);
    pack.entries.forEach(({ digest }, place) => {
      if (!places.has(digest)) places.set(digest, { pack, offset: place * recordBytes });
    });
  };

  const drop = async (pack: Pack) => {
    packs.delete(pack.path);
    for (const [digest, place] of places) if (place.pack === pack) places.delete(digest);
    closeSync(pack.descriptor);
    await rm(pack.path, { force: true });
    // A film of the lost pack may lie in another one too.
    for (const other of packs.values()) takeUp(other);
  };

  const read = async (path: string): Promise<void> => {
    try {
      const pack = openPack(path, recordBytes);
      if (pack) takeUp(pack);
      else await rm(path, { force: true });
    } catch (error) {
      // Another process found it damaged and deleted it in between.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  };

  const refresh = async () => {
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name);
      if (name.endsWith(PACK_SUFFIX) && !packs.has(path)) await read(path);
    }
  };

  return {
    refresh,
    async find(digest) {
      for (;;) {
        const place = places.get(digest);
        if (!place) return undefined;
        const { pack, offset } = place;
        if (checked.has(pack)) return { digest, descriptor: pack.descriptor, offset };
        if (isPackWhole(pack, recordBytes)) checked.add(pack);
        else await drop(pack);
      }
    },
    async add(records) {
      const path = await writePack(folder, records, recordBytes);
      const replaced = packs.get(path);
      if (!replaced) await read(path);
    },
    keep(locations) {
      const wanted = new Set(Array.from(locations, ({ descriptor }) => descriptor));
      for (const pack of packs.values())
        if (!wanted.has(pack.descriptor)) {
          packs.delete(pack.path);
          closeSync(pack.descriptor);
        }
      places.clear();
    },
    close() {
      for (const pack of packs.values()) closeSync(pack.descriptor);
      packs.clear();
      places.clear();
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
