/**
 * Decoded and resized films of a dataset, one byte a pixel, read by the training loop at random and
 * in constant memory. Films are keyed by the content of their files and by the settings that they
 * were resized with. Building goes block by block through the samples; whatever a killed run
 * finished is found again. Read next: cache-store.ts, cache-pack.ts, cache-film.ts.
 */
import { hash } from "node:crypto";
import { readSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { defaultCacheFolder } from "../cache-folder.node.ts";
import { assert, HilumError, isHilumError } from "../errors.ts";
import { type Fit, RESIZE_VERSION, type WindowSetting } from "../images/index.ts";
import { type DigestMemory, openDigestMemory } from "./cache-digest.ts";
import { concurrently, FILMS_IN_FLIGHT, type FilmReader, openFilmReader } from "./cache-film.ts";
import { type Location, openPackStore, type PackStore } from "./cache-store.ts";
import type { DatasetProblem, Sample } from "./dataset.ts";
import type { Samples } from "./samples.ts";

export interface CacheOptions {
  /** Pixels of a side of the square films. */
  readonly size: number;
  readonly fit?: Fit | undefined;
  /** For films of 16 bits; their percentiles by default. */
  readonly window?: WindowSetting | undefined;
  /** Where packs are kept; `defaultCacheFolder()` by default. */
  readonly dir?: string | undefined;
  /** Throws at the first film that cannot be read, which is a problem in the result otherwise. */
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface ImageCache {
  /** Readable films. */
  readonly count: number;
  readonly size: number;
  /** The samples of the readable films, in the order given. */
  readonly samples: Samples;
  /** SHA-256 of the file of the film at that index, hexadecimal. */
  digestAt(index: number): string;
  /** One for every film that was left out. */
  readonly problems: readonly DatasetProblem[];
  /**
   * Copies the films of those indices, one after another, to the start of `out`. Synchronous, and
   * allocates nothing. Throws `cache-damaged` where a pack became shorter meanwhile.
   */
  readInto(indices: ArrayLike<number>, out: Uint8Array): void;
  close(): void;
  [Symbol.dispose](): void;
}

/** A block is a pack, and what a kill -9 costs: up to 512 films and 64 MB. */
const BLOCK_FILMS = 512;
const BLOCK_BYTES = 64 * 1024 * 1024;

/**
 * Makes what is missing of the cache for the samples, and opens it. A film that cannot be read is
 * left out and is a problem of the result, or under `strict` its error is thrown. Throws
 * `cache-unwritable` and, when the signal aborts, `interrupted`; what was made until then is kept.
 */
export async function buildImageCache(
  samples: Samples,
  options: CacheOptions,
): Promise<ImageCache> {
  const { size, fit = "squash", window, dir = defaultCacheFolder() } = options;
  if (!(Number.isInteger(size) && size > 0 && size <= 4096))
    throw new HilumError("invalid-option", `Size ${size} is no whole number of 1 to 4096 pixels.`);
  const setting = { resize: RESIZE_VERSION, size, fit, window: window ?? null };
  const key = hash("sha256", JSON.stringify(setting)).slice(0, 12);
  let store: PackStore | undefined;
  let reader: FilmReader | undefined;
  try {
    await mkdir(dir, { recursive: true });
    const memory = await openDigestMemory(dir);
    store = await openPackStore(join(dir, `${size}-${fit}-${key}`), size * size);
    reader = openFilmReader({ size, fit, window });
    const built = await buildBlocks(samples, { options, memory, store, reader });
    store.keep(built.locations);
    return openedCache(built, size, store);
  } catch (error) {
    store?.close();
    throw writeError(error, dir);
  } finally {
    await reader?.close();
  }
}

interface Built {
  readonly samples: Sample[];
  readonly locations: Location[];
  readonly problems: DatasetProblem[];
}

interface Tools {
  readonly options: CacheOptions;
  readonly memory: DigestMemory;
  readonly store: PackStore;
  readonly reader: FilmReader;
}

async function buildBlocks(samples: Samples, tools: Tools): Promise<Built> {
  const { size, strict = false, signal, onProgress } = tools.options;
  const built: Built = { samples: [], locations: [], problems: [] };
  const length = Math.max(1, Math.min(BLOCK_FILMS, Math.floor(BLOCK_BYTES / (size * size))));
  for (let start = 0; start < samples.length; start += length) {
    const block = [...samples.slice(start, start + length)];
    const report = (done: number) => onProgress?.({ done: start + done, total: samples.length });
    for (const [place, outcome] of (await buildBlock(block, tools, report)).entries()) {
      const sample = block.at(place)!;
      if (isHilumError(outcome)) {
        if (strict) throw outcome;
        built.problems.push(problemOf(sample, outcome));
      } else {
        built.samples.push(sample);
        built.locations.push(outcome);
      }
    }
    report(block.length);
    stopIfAborted(signal);
  }
  return built;
}

/** For each sample where its film lies, or why it cannot be read. */
async function buildBlock(
  block: readonly Sample[],
  { options, memory, store, reader }: Tools,
  report: (done: number) => void,
): Promise<(Location | HilumError)[]> {
  const { signal, strict = false } = options;
  const digests = await concurrently(block, FILMS_IN_FLIGHT, ({ path, key }) => {
    stopIfAborted(signal);
    return orError(() => memory.digest(path, { name: key }));
  });
  await memory.save();
  await store.refresh();
  const missing = new Map<string, Sample>();
  for (const [place, digest] of digests.entries())
    if (!isHilumError(digest) && !missing.has(digest) && !(await store.find(digest)))
      missing.set(digest, block.at(place)!);
  let done = block.length - missing.size;
  const films = await concurrently([...missing], FILMS_IN_FLIGHT, async ([digest, sample]) => {
    stopIfAborted(signal);
    const film = await orError(() => reader.read(sample.path, { name: sample.key, digest }));
    if (strict && isHilumError(film)) throw film;
    report(++done);
    return film;
  });
  const made = films.flatMap((film) => (isHilumError(film) ? [] : [film]));
  if (made.length > 0) await store.add(made);
  const outcomes = new Map([...missing.keys()].map((digest, i) => [digest, films[i]]));
  return Promise.all(
    digests.map(async (digest, place) => {
      if (isHilumError(digest)) return digest;
      const sample = block.at(place)!;
      const location = await store.find(digest);
      if (location) return location;
      // A copy of an unreadable file is read again, so that its message names it and not the other.
      const own =
        missing.get(digest) === sample
          ? outcomes.get(digest)
          : await orError(() => reader.read(sample.path, { name: sample.key, digest }));
      return isHilumError(own) ? own : lostFilm(sample.key);
    }),
  );
}

function lostFilm(key: string): HilumError {
  return new HilumError(
    "cache-damaged",
    `The image cache lost the film of ${key}. Run again: it is made anew. If it stays so, check the disk.`,
    { key },
  );
}

/** The expected errors of one file as a value; all others end the work. */
async function orError<T>(work: () => Promise<T>): Promise<T | HilumError> {
  try {
    return await work();
  } catch (error) {
    if (isHilumError(error) && error.kind !== "internal" && error.code !== "interrupted")
      return error;
    throw error;
  }
}

function problemOf(sample: Sample, { code, message }: HilumError): DatasetProblem {
  return { code, key: sample.key, message, severity: "error" };
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new HilumError(
      "interrupted",
      "Stopped while the image cache was built. Run the same again: what is done is kept.",
    );
}

function writeError(error: unknown, dir: string): unknown {
  if (!(error instanceof Error && "code" in error) || isHilumError(error)) return error;
  const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
  return new HilumError(
    isFull ? "disk-full" : "cache-unwritable",
    isFull
      ? `The disk of the image cache ${dir} is full. Free space, or name another folder (--cache DIR or HILUM_CACHE).`
      : `The image cache ${dir} cannot be written (${error.code}). Name another folder (--cache DIR or HILUM_CACHE).`,
    { folder: dir, reason: error.code },
    error,
  );
}

function openedCache(
  { samples, locations, problems }: Built,
  size: number,
  store: PackStore,
): ImageCache {
  const bytes = size * size;
  const descriptors = Int32Array.from(locations, ({ descriptor }) => descriptor);
  const offsets = Float64Array.from(locations, ({ offset }) => offset);
  return {
    count: samples.length,
    size,
    samples,
    digestAt: (index) => locations[index]!.digest,
    problems,
    readInto(indices, out) {
      assert(out.length >= indices.length * bytes, "the buffer is too short for the films");
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!;
        const read = readSync(descriptors[index]!, out, i * bytes, bytes, offsets[index]!);
        if (read !== bytes) throw lostFilm(samples[index]?.key ?? `index ${index}`);
      }
    },
    close: () => store.close(),
    [Symbol.dispose]: () => store.close(),
  };
}
