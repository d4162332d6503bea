/** Overlays of films, written as files. */
import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { HilumError } from "../errors.ts";
import { writeFileAtomically } from "../files.node.ts";
import type { GreyImage } from "../images/index.ts";
import type { Explained, Explainer, ExplanationMethod } from "./explainer.node.ts";
import { type FoundFile, filesAtAll } from "./films.node.ts";
import { correctedFilm } from "./gate/corrected-film.ts";
import { peakOf } from "./heated-film.node.ts";
import type { Classifier, FileReading, FilmReading, ReadFilesOptions } from "./load.node.ts";
import { overlayPng } from "./overlay.node.ts";
import type { Reading } from "./reading.ts";

export interface ExplainFilmsOptions extends ReadFilesOptions {
  /** The folder that the pictures are written to; it is made where it is not there. */
  readonly out: string;
}

interface Explanation {
  readonly method: ExplanationMethod;
  /** What the heat map speaks for. */
  readonly class: string;
  /** Of that class. */
  readonly probability: number;
  readonly overlay: string;
  /** Shares of the film's width and height; null where nothing speaks for the class. */
  readonly peak: { readonly x: number; readonly y: number } | null;
}

export interface FileExplanation extends FileReading {
  /** Absent of films that cannot be read, or are not assessed. */
  readonly explanation?: Explanation;
}

/**
 * Reads films as `readFilms` does, and writes an overlay of each that is assessed, called after the
 * film; of films of one name the later ones are numbered. Throws `interrupted`.
 */
export async function explainFilms(
  classifier: Classifier,
  explainer: Explainer,
  paths: readonly string[],
  { out, signal, onProgress }: ExplainFilmsOptions,
): Promise<FileExplanation[]> {
  const found = await filesAtAll(paths);
  await mkdir(out, { recursive: true });
  const nameOf = freeNames();
  const results: FileExplanation[] = [];
  for await (const { film, ...entry } of eachFilm(classifier, found)) {
    if (signal?.aborted)
      throw new HilumError(
        "interrupted",
        `Stopped after ${results.length} of ${found.length} images.`,
      );
    if (!film || !entry.reading?.assessed) results.push(entry);
    else {
      const [explained] = await explainer.explain([film]);
      const facts = { reading: entry.reading, explained: explained!, method: explainer.method };
      const overlay = join(out, nameOf(entry.path));
      results.push({
        ...entry,
        explanation: await explanationOf(film, facts, overlay, classifier),
      });
    }
    onProgress?.({ done: results.length, total: found.length });
  }
  return results;
}

/** Each file once, decoded and read; what was not found as it is. */
async function* eachFilm(
  classifier: Classifier,
  found: readonly FoundFile[],
): AsyncGenerator<FilmReading> {
  const paths = found.filter(({ error }) => !error).map(({ path }) => path);
  const chunks = classifier.films(paths);
  let read: FilmReading[] = [];
  for (const file of found) {
    if (!file.error && read.length === 0) read = [...((await chunks.next()).value ?? [])];
    yield file.error ? file : read.shift()!;
  }
}

interface Facts {
  readonly reading: Reading;
  readonly explained: Explained;
  readonly method: ExplanationMethod;
}

/** Writes the overlay as well. */
async function explanationOf(
  film: GreyImage,
  { reading, explained: { label, heatMap }, method }: Facts,
  overlay: string,
  { metadata }: Classifier,
): Promise<Explanation> {
  const { fit } = metadata.input;
  const probability = reading.probabilities[label]!;
  const { corrections } = reading;
  const facts = { label: reading.label!, class: label, probability, method, fit, corrections };
  const shown = correctedFilm(film, reading);
  writeFileAtomically(overlay, await overlayPng(shown, heatMap, facts));
  return { method, class: label, probability, overlay, peak: peakOf(heatMap, film, fit) };
}

/** The film's name with .png; a name that is taken gets a number. Case is one on some disks. */
function freeNames(): (path: string) => string {
  const taken = new Set<string>();
  return (path) => {
    const stem = basename(path, extname(path));
    let name = `${stem}.png`;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${stem}-${number}.png`;
    taken.add(name.toLowerCase());
    return name;
  };
}
