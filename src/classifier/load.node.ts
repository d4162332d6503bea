/** Loading a classifier and reading films with it, in Node. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { HilumError, isHilumError } from "../errors.ts";
import { type GreyImage, readImage } from "../images/index.ts";
import { openSession, readModelFile, readRunnable } from "../onnx/index.node.ts";
import type { Model } from "../onnx/index.ts";
import { UNCALIBRATED, withUncalibrated } from "./calibrated.ts";
import { batchOf, CHUNK, equalSizesFrom } from "./film-batches.ts";
import {
  type GateMetadata,
  NO_GATE,
  readGateMetadata,
  type Verdict,
  verdictOf,
} from "./gate/scores.ts";
import { GATE_OUTPUT } from "./gate/with-gate.ts";
import { type ClassifierMetadata, readMetadata } from "./metadata.ts";
import { type Reading, readingOf } from "./reading.ts";
import { SHIPPED_MODEL, shippedModel } from "./shipped.node.ts";

export interface FileReading {
  readonly path: string;
  readonly reading?: Reading;
  /** What the network itself says, where `isUncalibratedWanted` and the model has a calibration. */
  readonly uncalibrated?: Float32Array;
  readonly error?: HilumError;
}

/** A reading together with the film itself, which is absent where it cannot be read. */
export interface FilmReading extends FileReading {
  readonly film?: GreyImage;
}

export interface ReadFilesOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface LoadOptions {
  readonly threads?: number | undefined;
  /** Films read from files also have the probabilities before the model's calibration. */
  readonly isUncalibratedWanted?: boolean | undefined;
}

export interface Classifier {
  /** The file that was loaded. */
  readonly path: string;
  readonly model: Model;
  readonly metadata: ClassifierMetadata;
  /** What stands before a reading; undefined where the model has no gate. */
  readonly gate: GateMetadata | undefined;
  /** Probabilities in the order of the labels, for films of any sizes, whatever the gate says. */
  probabilities(films: readonly GreyImage[]): Promise<Float32Array[]>;
  /** One entry per path, in order; what cannot be read has an error and does not stop the rest. */
  read(paths: readonly string[], options?: ReadFilesOptions): Promise<FileReading[]>;
  /** The same some films at a time with the films themselves, for whoever has more to do with them. */
  films(
    paths: readonly string[],
    options?: Pick<ReadFilesOptions, "signal">,
  ): AsyncGenerator<readonly FilmReading[]>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Looked {
  readonly probabilities: Float32Array;
  readonly uncalibrated?: Float32Array;
  readonly verdict: Verdict;
}

interface Looking {
  looked(films: readonly GreyImage[]): Promise<Looked[]>;
}

/**
 * The classifier in an `.onnx` file or a run folder. Throws `file-not-found`, `model-malformed`,
 * `not-a-classifier`, and `run-unfinished` for a run that has no model yet.
 */
export async function loadClassifier(
  folderOrFile: string,
  { threads, isUncalibratedWanted = false }: LoadOptions = {},
): Promise<Classifier> {
  const path = await modelPath(folderOrFile);
  const { model, source } = await readRunnable(path);
  const metadata = readMetadata(model.metadata, path);
  const hasUncalibrated = isUncalibratedWanted && Boolean(metadata.calibration);
  const session = await openSession(hasUncalibrated ? withUncalibrated(model) : source, {
    threads,
  });
  const gate = readGateMetadata(model.metadata, path);
  const outputs = [
    "probabilities",
    ...(gate ? [GATE_OUTPUT] : []),
    ...(hasUncalibrated ? [UNCALIBRATED] : []),
  ];
  const looked = async (films: readonly GreyImage[]) => {
    const results: Looked[] = [];
    for (let start = 0; start < films.length; ) {
      const end = equalSizesFrom(films, start);
      const output = await session.run({ images: batchOf(films.slice(start, end)) }, outputs);
      const rowOf = (name: string, index: number) => {
        const values = output[name]!.data as Float32Array;
        const width = values.length / (end - start);
        return values.slice(index * width, (index + 1) * width);
      };
      for (let i = 0; i < end - start; i++)
        results.push({
          probabilities: rowOf("probabilities", i),
          verdict: gate ? verdictOf(rowOf(GATE_OUTPUT, i), gate) : NO_GATE,
          ...(hasUncalibrated ? { uncalibrated: rowOf(UNCALIBRATED, i) } : {}),
        });
      start = end;
    }
    return results;
  };
  const close = () => session.close();
  const films = (paths: readonly string[], { signal }: ReadFilesOptions = {}) =>
    filmReadings(paths, { metadata, looked }, signal);
  return {
    path,
    model,
    metadata,
    gate,
    probabilities: async (films) => (await looked(films)).map((film) => film.probabilities),
    films,
    async read(paths, { onProgress, ...readOptions } = {}) {
      const results: FileReading[] = [];
      for await (const chunk of films(paths, readOptions)) {
        results.push(...chunk.map(({ film: _, ...entry }) => entry));
        onProgress?.({ done: results.length, total: paths.length });
      }
      return results;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What a classifier's file says about itself, without making it ready to read films. */
export async function loadMetadata(folderOrFile: string): Promise<ClassifierMetadata> {
  const path = await modelPath(folderOrFile);
  return readMetadata((await readModelFile(path)).metadata, path);
}

/** A run folder's model, or the file itself; "pneumonia" is the shipped model. */
export async function modelPath(source: string): Promise<string> {
  const info = await stat(source).catch(() => undefined);
  if (!info && source === SHIPPED_MODEL) return shippedModel();
  if (!info)
    throw new HilumError(
      "file-not-found",
      `There is no model "${source}". Name a run folder or an .onnx file.`,
      { path: source },
    );
  if (!info.isDirectory()) return source;
  const inner = join(source, "model.onnx");
  if (await stat(inner).catch(() => undefined)) return inner;
  throw new HilumError("run-unfinished", await withoutModel(source), { path: source });
}

/** Why a folder has no model of its own, and what to do. */
async function withoutModel(folder: string): Promise<string> {
  const names = await readdir(folder);
  const fold = names.sort().find((name) => /^fold-\d+$/.test(name));
  if (fold)
    return `${folder} holds the folds of a cross-validation, each with a model of its own. Name one of them: ${join(folder, fold)}`;
  if (names.includes("config.json"))
    return `${folder} holds no model.onnx: the run is not finished. Go on with: hilum train DIR --out ${folder} --resume`;
  return `${folder} holds no model.onnx and is no run. Name the folder of a run or an .onnx file.`;
}

/** In the order of the paths; the next films are decoded while these go through the network. */
async function* filmReadings(
  paths: readonly string[],
  { metadata, looked }: Pick<Classifier, "metadata"> & Looking,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly FilmReading[]> {
  const decode = (start: number) =>
    Promise.all(paths.slice(start, start + CHUNK).map((path) => decoded(path, metadata)));
  let ahead = decode(0);
  for (let start = 0; start < paths.length; start += CHUNK) {
    if (signal?.aborted)
      throw new HilumError("interrupted", `Stopped after ${start} of ${paths.length} images.`);
    const films = await ahead;
    ahead = decode(start + CHUNK);
    const found = await looked(films.filter((film): film is GreyImage => !isHilumError(film)));
    yield films.map((film, index): FilmReading => {
      const path = paths[start + index]!;
      if (isHilumError(film)) return { path, error: film };
      const { probabilities, verdict, ...further } = found.shift()!;
      return { path, film, reading: readingOf(probabilities, metadata, verdict), ...further };
    });
  }
}

async function decoded(
  path: string,
  metadata: ClassifierMetadata,
): Promise<GreyImage | HilumError> {
  try {
    const { window } = metadata.input;
    return await readImage(path, window ? { window } : {});
  } catch (error) {
    if (isHilumError(error)) return error;
    throw error;
  }
}
