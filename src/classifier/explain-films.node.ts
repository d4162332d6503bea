/** Overlays of films, written as files. */
import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { HilumError } from "../errors.ts";
import { writeFileAtomically } from "../files.node.ts";
import { readImage } from "../images/index.ts";
import type { Explainer, ExplanationMethod } from "./explainer.node.ts";
import { readFilms } from "./films.node.ts";
import { peakOf } from "./heated-film.node.ts";
import type { Classifier, FileReading, ReadFilesOptions } from "./load.node.ts";
import { overlayPng } from "./overlay.node.ts";

export interface ExplainFilmsOptions extends ReadFilesOptions {
  /** The folder that the pictures are written to; it is made where it is not there. */
  readonly out: string;
}

export interface FileExplanation extends FileReading {
  /** Absent of films that cannot be read, or are not assessed. */
  readonly explanation?: {
    readonly method: ExplanationMethod;
    /** What the heat map speaks for. */
    readonly class: string;
    /** Of that class. */
    readonly probability: number;
    readonly overlay: string;
    /** Shares of the film's width and height; null where nothing speaks for the class. */
    readonly peak: { readonly x: number; readonly y: number } | null;
  };
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
  const readings = await readFilms(classifier, paths, { signal });
  await mkdir(out, { recursive: true });
  const nameOf = freeNames();
  const { fit, window } = classifier.metadata.input;
  const results: FileExplanation[] = [];
  for (const entry of readings) {
    if (signal?.aborted)
      throw new HilumError(
        "interrupted",
        `Stopped after ${results.length} of ${readings.length} images.`,
      );
    const { path, reading } = entry;
    if (!reading?.assessed) results.push(entry);
    else {
      const film = await readImage(path, window ? { window } : {});
      const [explained] = await explainer.explain([film]);
      const { label, heatMap } = explained!;
      const { method } = explainer;
      const probability = reading.probabilities[label]!;
      const overlay = join(out, nameOf(path));
      const facts = { label: reading.label!, class: label, probability, method, fit };
      writeFileAtomically(overlay, await overlayPng(film, heatMap, facts));
      const peak = peakOf(heatMap, film, fit);
      results.push({ ...entry, explanation: { method, class: label, probability, overlay, peak } });
    }
    onProgress?.({ done: results.length, total: readings.length });
  }
  return results;
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
