/**
 * Building an image cache, block by block through the samples: digests, films that no pack has yet,
 * a pack of those. Of a film stays its record's number; samples and pixels are a block's at most.
 */
import { HilumError, isHilumError } from "../errors.ts";
import type { DigestMemory } from "./cache-digest.ts";
import { concurrently, FILMS_IN_FLIGHT, type FilmReader } from "./cache-film.ts";
import type { PackStore } from "./cache-store.ts";
import type { DatasetProblem, Sample } from "./dataset.ts";
import { picked, type Samples } from "./samples.ts";

/** A block is a pack, and what a kill -9 costs: up to 512 films and 64 MB. */
const BLOCK_FILMS = 512;
const BLOCK_BYTES = 64 * 1024 * 1024;

export interface BuildOptions {
  /** Pixels of a side of the square films. */
  readonly size: number;
  /** Throws at the first film that cannot be read, which is a problem in the result otherwise. */
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface Built {
  /** Those whose films can be read. */
  readonly samples: Samples;
  /** For each of them the number of its film's record. */
  readonly records: Uint32Array;
  /** One for every film that was left out. */
  readonly problems: readonly DatasetProblem[];
}

export interface Tools {
  readonly options: BuildOptions;
  readonly memory: DigestMemory;
  readonly store: PackStore;
  readonly reader: FilmReader;
}

/** Puts into the store what it lacks of the samples' films. Throws as `buildImageCache` does. */
export async function buildBlocks(samples: Samples, tools: Tools): Promise<Built> {
  const { size, strict = false, signal, onProgress } = tools.options;
  const length = Math.max(1, Math.min(BLOCK_FILMS, Math.floor(BLOCK_BYTES / (size * size))));
  const films = new Uint8Array(Math.min(length, samples.length) * size * size);
  const records = new Uint32Array(samples.length);
  const places = new Uint32Array(samples.length);
  const problems: DatasetProblem[] = [];
  let count = 0;
  for (let start = 0; start < samples.length; start += length) {
    const block = [...samples.slice(start, start + length)];
    const report = (done: number) => onProgress?.({ done: start + done, total: samples.length });
    for (const [place, outcome] of (await buildBlock(block, tools, films, report)).entries()) {
      if (isHilumError(outcome)) {
        if (strict) throw outcome;
        problems.push(problemOf(block[place]!, outcome));
      } else {
        records[count] = outcome;
        places[count++] = start + place;
      }
    }
    report(block.length);
    stopIfAborted(signal);
  }
  if (count === samples.length) return { samples, records, problems };
  const readable = picked(samples, places.slice(0, count));
  return { samples: readable, records: records.slice(0, count), problems };
}

/** For each sample its film's record, or why it cannot be read. `films` has room for all of them. */
async function buildBlock(
  block: readonly Sample[],
  { options, memory, store, reader }: Tools,
  films: Uint8Array,
  report: (done: number) => void,
): Promise<(number | HilumError)[]> {
  const { size, signal, strict = false } = options;
  const digests = await concurrently(block, FILMS_IN_FLIGHT, ({ path, key }) => {
    stopIfAborted(signal);
    return orError(() => memory.digest(path, { name: key }));
  });
  await memory.save();
  await store.refresh();
  const missing = new Map<string, Missing>();
  for (const [place, digest] of digests.entries())
    if (!isHilumError(digest) && !missing.has(digest) && store.find(digest) === undefined) {
      const begin = missing.size * size * size;
      const film = films.subarray(begin, begin + size * size);
      missing.set(digest, { digest, sample: block[place]!, film });
    }
  const read = ({ path, key }: Sample, { digest, film }: Missing) =>
    orError(() => reader.read(path, { name: key, digest }, film));
  const errors = new Map<string, HilumError>();
  let done = block.length - missing.size;
  await concurrently([...missing.values()], FILMS_IN_FLIGHT, async (film) => {
    stopIfAborted(signal);
    const outcome = await read(film.sample, film);
    if (isHilumError(outcome)) {
      if (strict) throw outcome;
      errors.set(film.digest, outcome);
    }
    report(++done);
  });
  const made = [...missing.values()].filter(({ digest }) => !errors.has(digest));
  if (made.length > 0) await store.add(made.map(({ digest, film }) => ({ digest, bytes: film })));
  return concurrently([...digests.entries()], FILMS_IN_FLIGHT, async ([place, digest]) => {
    if (isHilumError(digest)) return digest;
    const record = store.find(digest);
    if (record !== undefined) return record;
    const sample = block[place]!;
    const film = missing.get(digest);
    // A copy of an unreadable film is read again, so that its message names it and not the other.
    const isCopy = film && film.sample !== sample;
    const error = isCopy ? await read(sample, film) : errors.get(digest);
    return isHilumError(error) ? error : lostFilm(sample.key);
  });
}

/** A film that no pack has, and its place among the block's films. */
interface Missing {
  readonly digest: string;
  readonly sample: Sample;
  readonly film: Uint8Array;
}

export function lostFilm(key: string): HilumError {
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
