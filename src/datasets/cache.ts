/**
 * Decoded and resized films of a dataset, one byte a pixel, read by the training loop at random and
 * in constant memory. Films are keyed by the content of their files and by the settings that they
 * were resized with. Building goes block by block through the samples; whatever a killed run
 * finished is found again. An open cache keeps 36 bytes a film, outside of V8's heap; finding 100,000
 * films of an earlier run takes 13 MB more at its peak than finding 1,000, mostly V8's room for garbage.
 * Read next: cache-build.ts, cache-store.ts, cache-pack.ts, cache-film.ts.
 */
import { hash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { defaultCacheFolder } from "../cache-folder.node.ts";
import { assert, HilumError, isHilumError } from "../errors.ts";
import { type Fit, RESIZE_VERSION, type WindowSetting } from "../images/index.ts";
import { type BuildOptions, type Built, buildBlocks, lostFilm } from "./cache-build.ts";
import { type DigestMemory, openDigestMemory } from "./cache-digest.ts";
import { type FilmReader, openFilmReader } from "./cache-film.ts";
import { openPackStore, type PackStore } from "./cache-store.ts";
import type { DatasetProblem } from "./dataset.ts";
import type { Samples } from "./samples.ts";

export interface CacheOptions extends BuildOptions {
  readonly fit?: Fit | undefined;
  /** For films of 16 bits; their percentiles by default. */
  readonly window?: WindowSetting | undefined;
  /** Where packs are kept; `defaultCacheFolder()` by default. */
  readonly dir?: string | undefined;
}

export interface ImageCache {
  /** Readable films. */
  readonly count: number;
  readonly size: number;
  /** The samples of the readable films, in the order given. */
  readonly samples: Samples;
  /** SHA-256 of the file of the film at that index, hexadecimal; not to be asked for after `close`. */
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
  let memory: DigestMemory | undefined;
  let store: PackStore | undefined;
  let reader: FilmReader | undefined;
  try {
    await mkdir(dir, { recursive: true });
    memory = await openDigestMemory(dir);
    store = await openPackStore(join(dir, `${size}-${fit}-${key}`), size * size);
    reader = openFilmReader({ size, fit, window });
    const built = await buildBlocks(samples, { options, memory, store, reader });
    store.keep(built.records, { digests: true });
    return openedCache(built, size, store);
  } catch (error) {
    store?.close();
    throw writeError(error, dir);
  } finally {
    memory?.close();
    await reader?.close();
  }
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

function openedCache({ samples, records, problems }: Built, size: number, store: PackStore) {
  const bytes = size * size;
  const cache: ImageCache = {
    count: samples.length,
    size,
    samples,
    digestAt: (index) => store.digestOf(records[index]!),
    problems,
    readInto(indices, out) {
      assert(out.length >= indices.length * bytes, "the buffer is too short for the films");
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!;
        if (!store.readInto(records[index]!, out, i * bytes))
          throw lostFilm(samples.at(index)?.key ?? `index ${index}`);
      }
    },
    close: () => store.close(),
    [Symbol.dispose]: () => store.close(),
  };
  return cache;
}
