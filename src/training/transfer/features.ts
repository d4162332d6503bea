/**
 * Features of films, computed once and kept on disk: a store for each pass over the films, keyed by
 * everything that a feature hangs on, in which each film is found by its file's digest. Its packs are
 * those of the image cache: whole or not there, and common to processes at work at once.
 */
import { hash } from "node:crypto";
import { join } from "node:path";
import {
  AUGMENTATION_COLUMNS,
  type Augmentation,
  augmented,
  defaultCacheFolder,
  drawAugmentation,
  type ImageCache,
  openPackStore,
  type PackStore,
} from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import { type Normalization, normalizeImages } from "../../images/index.ts";
import { openSession, type Session } from "../../onnx/index.node.ts";
import {
  type Graph,
  graphBuilder,
  modelOf,
  operators as op,
  type Value,
  writeModel,
} from "../../onnx/index.ts";
import { hashPath } from "../../random.ts";
import { isAugmented } from "../compose.ts";
import type { Settings } from "../options.ts";

/**
 * Films that go through the backbone at once; the last ones are filled up, so that all runs are equal.
 * Few, so that maps stay in the processor's caches. Processor milliseconds an image at 2 | 4 | 16:
 * EfficientNet-Lite0 9.1 | 9.2 | 9.8, MobileNetV2 7.1 | 7.4 | 8.0, DenseNet-121 56 | 58 | 63,
 * Xception 173 | 176 | 177 (one thread, AVX-512).
 */
const BATCH = 4;

/** Films that are packed at once, and what a kill -9 costs. */
const BLOCK = 512;

export interface FeatureSource {
  /** From normalised grey images to features `[N, C]`. */
  readonly features: (x: Value) => Value;
  readonly settings: Settings;
  /** Of the augmented passes. Mixup has no part in them: it needs the network's own loss. */
  readonly augmentation: Augmentation;
  readonly cacheFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface Features {
  readonly count: number;
  readonly width: number;
  /** The plain one among them. */
  readonly passes: number;
  /** Copies the features of the film at `index` in a pass (0 is not augmented) to `out`. */
  readInto(index: number, pass: number, out: Float32Array): void;
  close(): void;
}

/**
 * The features of all films in `passes` augmented passes beside the plain one; what is not on disk
 * is computed. Throws `interrupted`; what was computed until then is kept.
 */
export async function openFeatures(
  cache: ImageCache,
  passes: number,
  source: FeatureSource,
): Promise<Features> {
  const stores: PackStore[] = [];
  const close = () => {
    for (const store of stores.splice(0)) store.close();
  };
  const sessions = new Map<boolean, Extractor>();
  /** By pass the record of each film. */
  const records: Uint32Array[] = [];
  try {
    let width = 0;
    for (let pass = 0; pass <= passes; pass++) {
      const isDrawn = pass > 0 && isAugmented(source.augmentation);
      const extractor = sessions.get(isDrawn) ?? extractorOf(cache.size, source, isDrawn);
      sessions.set(isDrawn, extractor);
      width = extractor.width;
      const folder = join(
        source.cacheFolder ?? defaultCacheFolder(),
        `features-${keyOf(extractor, source, pass)}`,
      );
      const store = await openPackStore(folder, 4 * width);
      stores.push(store);
      const report = (done: number) =>
        source.onProgress?.({ done: pass * cache.count + done, total: (passes + 1) * cache.count });
      const filled = await fillStore(store, { cache, extractor, source, pass, report });
      store.keep(filled, { digests: false });
      records.push(filled);
    }
    return {
      count: cache.count,
      width,
      passes: passes + 1,
      readInto(index, pass, out) {
        const bytes = new Uint8Array(out.buffer, out.byteOffset, 4 * width);
        if (!stores[pass]!.readInto(records[pass]![index]!, bytes, 0)) refuseLost(cache, index);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  } finally {
    for (const extractor of sessions.values()) await extractor.close();
  }
}

interface Extractor {
  readonly sha256: string;
  readonly isDrawn: boolean;
  readonly width: number;
  /** Opened when a feature has to be computed. */
  session(): Promise<Session>;
  close(): Promise<void>;
}

function extractorOf(
  size: number,
  { features, settings, augmentation }: FeatureSource,
  isDrawn: boolean,
): Extractor {
  const graph = featureGraph(size, { features, settings, augmentation }, isDrawn);
  const bytes = writeModel(modelOf(graph));
  let session: Promise<Session> | undefined;
  return {
    isDrawn,
    sha256: hash("sha256", bytes),
    width: Number(graph.outputs[0]!.shape![1]),
    session: () => {
      session ??= openSession(bytes, settings);
      return session;
    },
    close: async () => (await session)?.close(),
  };
}

/** Inputs `images` uint8 `[B, S, S]` and, where it augments, `augmentation`; output `features`. */
export function featureGraph(
  size: number,
  {
    features,
    settings,
    augmentation,
  }: Pick<FeatureSource, "features" | "settings" | "augmentation">,
  isDrawn: boolean,
): Graph {
  const builder = graphBuilder();
  const pixels = builder.input("images", "uint8", [BATCH, size, size]);
  let images = op.cast(op.unsqueeze(pixels, [1]), "float32");
  if (isDrawn) {
    const rows = builder.input("augmentation", "float32", [BATCH, AUGMENTATION_COLUMNS]);
    images = augmented({ images, rows, ranges: { ...augmentation, mixup: 0 } });
  }
  const x = normalizeImages(images, settings.normalization as Normalization);
  builder.output(features(x), "features");
  return builder.build("features");
}

/** Everything but the film's file that its features hang on. */
function keyOf({ sha256, isDrawn }: Extractor, { settings }: FeatureSource, pass: number): string {
  const { size, fit, window, threads, seed } = settings;
  // Sums are grouped by thread: a run's bits must not hang on who filled the store.
  const key = { sha256, size, fit, window, threads, drawn: isDrawn ? { seed, pass } : null };
  return hash("sha256", JSON.stringify(key)).slice(0, 16);
}

interface Filling {
  readonly cache: ImageCache;
  readonly extractor: Extractor;
  readonly source: FeatureSource;
  readonly pass: number;
  report(done: number): void;
}

/** The record of each film in the store, into which goes what it lacks. */
async function fillStore(store: PackStore, filling: Filling): Promise<Uint32Array> {
  const { cache, report, source } = filling;
  const records = new Uint32Array(cache.count);
  for (let start = 0; start < cache.count; start += BLOCK) {
    await store.refresh();
    const count = Math.min(BLOCK, cache.count - start);
    const block = Array.from({ length: count }, (_, place) => cache.digestAt(start + place));
    const missing = new Map<string, number>();
    for (const [place, digest] of block.entries())
      if (!missing.has(digest) && store.find(digest) === undefined)
        missing.set(digest, start + place);
    if (missing.size > 0) {
      const before = block.length - missing.size;
      const vectors = await compute([...missing.values()], {
        ...filling,
        report: (done) => report(start + before + done),
      });
      const made = [...missing.keys()].slice(0, vectors.length);
      if (vectors.length > 0)
        await store.add(made.map((digest, place) => ({ digest, bytes: vectors[place]! })));
    }
    if (source.signal?.aborted)
      throw new HilumError(
        "interrupted",
        "Stopped while features were computed; what is done is kept. Go on with the same command and --resume.",
      );
    for (const [place, digest] of block.entries())
      records[start + place] = store.find(digest) ?? refuseLost(cache, start + place);
    report(start + block.length);
  }
  return records;
}

/** The bytes of the features of the films at these indices. */
async function compute(
  indices: readonly number[],
  { cache, extractor, source, pass, report }: Filling,
): Promise<Uint8Array[]> {
  const { settings, augmentation, signal } = source;
  const { size } = cache;
  const session = await extractor.session();
  const results: Uint8Array[] = [];
  for (let start = 0; start < indices.length && !signal?.aborted; start += BATCH) {
    const count = Math.min(BATCH, indices.length - start);
    const batch = Uint32Array.from({ length: BATCH }, (_, i) => indices[start + (i % count)]!);
    const data = new Uint8Array(BATCH * size * size);
    cache.readInto(batch, data);
    const rows = new Float32Array(BATCH * AUGMENTATION_COLUMNS);
    for (const [place, index] of batch.entries()) {
      const row = rows.subarray(place * AUGMENTATION_COLUMNS, (place + 1) * AUGMENTATION_COLUMNS);
      const film = hashPath(cache.digestAt(index));
      drawAugmentation(augmentation, [settings.seed, pass, film, hashPath("features")], row);
    }
    const { features } = await session.run({
      images: { type: "uint8", dims: [BATCH, size, size], data },
      ...(extractor.isDrawn
        ? { augmentation: { type: "float32", dims: [BATCH, AUGMENTATION_COLUMNS], data: rows } }
        : {}),
    });
    const values = features!.data as Float32Array;
    for (let place = 0; place < count; place++) {
      const own = values.slice(place * extractor.width, (place + 1) * extractor.width);
      results.push(new Uint8Array(own.buffer));
    }
    report(start + count);
  }
  return results;
}

function refuseLost({ samples }: ImageCache, index: number): never {
  const key = samples.at(index)?.key ?? `index ${index}`;
  throw new HilumError(
    "cache-damaged",
    `The cache lost the features of ${key}. Run again: they are made anew. If it stays so, check the disk.`,
    { key },
  );
}
