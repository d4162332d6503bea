/** The shipped model on the user's films, or on synthetic ones, and one page that shows its answers. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type Classifier,
  type FileReading,
  loadClassifier,
  openExplainer,
  readFilms,
  SHIPPED_MODEL,
  shippedModel,
} from "../classifier/index.node.ts";
import { correctedFilm } from "../classifier/index.ts";
import { type PlannedPhantom, writePhantomDataset } from "../datasets/index.ts";
import { HilumError, isHilumError } from "../errors.ts";
import { guardDisk, writeFileAtomically } from "../files.node.ts";
import { readImage } from "../images/index.ts";
import { DEMO_FILES, refuseStrangers } from "./folder.ts";
import { overlayPicture } from "./overlay.ts";
import { readingPage } from "./reading-page.ts";

export interface ReadingDemoOptions {
  /** Films, or folders of films; with none, synthetic films are drawn. */
  readonly films?: readonly string[] | undefined;
  /** A folder of its own. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: ReadingDemoEvent) => void) | undefined;
}

export interface ReadingDemoEvent {
  readonly kind: "drawing" | "reading" | "explaining";
  readonly done: number;
  readonly total: number;
}

export interface ReadingDemoResult {
  /** Whether the films were drawn by a program: then the answers say nothing about accuracy. */
  readonly synthetic: boolean;
  /** The HTML page. */
  readonly page: string;
  readonly model: string;
  /** The class whose probability is told; null where there are several. */
  readonly positive: string | null;
  /** Where a probability becomes a positive; null where the model has no operating point. */
  readonly threshold: number | null;
  /** Whether the model says what it does not assess. */
  readonly isGated: boolean;
  readonly readings: readonly FileReading[];
}

/** A film of the page. */
export interface PicturedFilm extends FileReading {
  /** The film and its overlay; null where it cannot be read, or there are too many for one page. */
  readonly jpeg: Uint8Array | null;
  /** What a synthetic film was drawn to show. */
  readonly drawn: PlannedPhantom | undefined;
}

/** Two patients of each kind or nearly so, large enough to be looked at. */
const PHANTOMS = { count: 8, seed: 28, size: 480 } as const;
/** A picture takes about 50 kB of the page. */
const MOST_PICTURES = 100;

/**
 * Reads the films with the shipped model and writes `reading.html` in `out`; synthetic films are
 * drawn there where no films are named. A film that cannot be read has an error in the result and
 * does not stop the rest. Throws `file-not-found` where the shipped model is missing, `run-exists`
 * for a folder of other files, `invalid-option`, `disk-full`, and `interrupted` once the signal aborts.
 */
export async function runReadingDemo(options: ReadingDemoOptions): Promise<ReadingDemoResult> {
  const { films = [], signal, onEvent } = options;
  const model = shippedModel();
  const folder = resolve(options.out);
  refuseStrangers(folder);
  await using classifier = await loadClassifier(model);
  guardDisk(folder, () => mkdirSync(folder, { recursive: true }));
  const synthetic = films.length === 0;
  const drawn = synthetic ? await drawnPhantoms(folder, options) : new Map();
  const readings = await readFilms(classifier, synthetic ? [...drawn.keys()] : films, {
    signal,
    onProgress: (progress) => onEvent?.({ kind: "reading", ...progress }),
  });
  const pictured = await withPictures(classifier, readings, { ...options, drawn });
  const { task, operatingPoint } = classifier.metadata;
  const result = {
    synthetic,
    page: join(folder, DEMO_FILES.reading),
    model,
    positive:
      task.kind === "classes" && task.positive !== null ? task.classes[task.positive]! : null,
    threshold: operatingPoint?.threshold ?? null,
    isGated: classifier.gate !== undefined,
    readings,
  };
  const name = process.env.HILUM_MODEL ? model : SHIPPED_MODEL;
  writeFileAtomically(
    result.page,
    readingPage({ ...result, name, metadata: classifier.metadata, films: pictured }),
  );
  return result;
}

async function drawnPhantoms(
  folder: string,
  { signal, onEvent }: ReadingDemoOptions,
): Promise<Map<string, PlannedPhantom>> {
  const films = join(folder, DEMO_FILES.phantoms);
  guardDisk(films, () => mkdirSync(films, { recursive: true }));
  const plan = await writePhantomDataset(films, {
    ...PHANTOMS,
    signal,
    onProgress: (progress) => onEvent?.({ kind: "drawing", ...progress }),
  });
  return new Map(plan.map((phantom) => [join(films, phantom.key), phantom]));
}

/** Of films that the gate refuses the overlay is left out, but for synthetic ones, which show the path. */
async function withPictures(
  classifier: Classifier,
  readings: readonly FileReading[],
  {
    drawn,
    signal,
    onEvent,
  }: Pick<ReadingDemoOptions, "signal" | "onEvent"> & { drawn: Map<string, PlannedPhantom> },
): Promise<PicturedFilm[]> {
  const { window, fit } = classifier.metadata.input;
  const explainer = await openExplainer(classifier.model).catch((error: unknown) => {
    if (isHilumError(error) && error.code === "no-heat-map") return null;
    throw error;
  });
  const films: PicturedFilm[] = [];
  let pictures = 0;
  try {
    for (const entry of readings) {
      if (signal?.aborted)
        throw new HilumError(
          "interrupted",
          `Stopped after ${films.length} of ${readings.length} heat maps.`,
        );
      const phantom = drawn.get(entry.path);
      let jpeg: Uint8Array | null = null;
      if (entry.reading && pictures < MOST_PICTURES) {
        const film = await readImage(entry.path, window ? { window } : {});
        const isExplained = entry.reading.assessed || phantom !== undefined;
        const [explained] = isExplained ? ((await explainer?.explain([film])) ?? []) : [];
        const shown = correctedFilm(film, entry.reading);
        jpeg = await overlayPicture(shown, explained?.heatMap ?? null, fit);
        pictures++;
      }
      films.push({ ...entry, jpeg, drawn: phantom });
      onEvent?.({ kind: "explaining", done: films.length, total: readings.length });
    }
  } finally {
    await explainer?.close();
  }
  return films;
}
