/**
 * The main job on embedded defaults: synthetic films, a network trained on them, its evaluation on
 * films that it has not seen, readings of some of them, and one page that shows all of it.
 */
import { join, resolve } from "node:path";
import { loadClassifier } from "../classifier/index.node.ts";
import { openDataset } from "../datasets/index.ts";
import { HilumError, isHilumError } from "../errors.ts";
import { type Evaluation, evaluate } from "../evaluation/index.ts";
import { writeFileAtomically } from "../files.node.ts";
import { type TrainEvent, train } from "../training/index.ts";
import { demoPage } from "./demo-page.ts";
import { drawFilms } from "./films.ts";
import { DEMO_FILES, withDemoFolder } from "./folder.ts";
import { type DemoSettings, demoSettings } from "./settings.ts";
import { type ShownFilm, shownFilms } from "./shown-films.ts";

export interface DemoOptions extends Partial<DemoSettings> {
  /** A folder of its own; a demo that was interrupted there goes on. */
  readonly out: string;
  /** Removes what an earlier demo left in `out`. */
  readonly isFresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DemoEvent) => void) | undefined;
}

export type DemoEvent =
  | { readonly kind: "drawing"; readonly done: number; readonly total: number }
  | { readonly kind: "evaluating"; readonly done: number; readonly total: number }
  | TrainEvent;

export interface DemoResult {
  /** Every film is drawn by a program. */
  readonly synthetic: true;
  /** The HTML page. */
  readonly page: string;
  /** Folder of the films, with the splits train and test. */
  readonly films: string;
  readonly run: string;
  readonly model: string;
  readonly bestEpoch: number;
  /** On the validation films, in the best epoch. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** On the test films, at the operating point that validation chose. */
  readonly test: Evaluation;
  /** The test films that the page shows: all that were read wrongly, or many of them, and others. */
  readonly images: readonly ShownFilm[];
}

/**
 * Runs the demo in `out`, or what is left of it, and returns its result. Equal settings give equal
 * films and weights on one machine. Throws `invalid-option`, `unknown-model`, `run-exists` for a
 * folder of other files, `settings-changed` for one with a demo of other settings, `folder-locked`,
 * `disk-full`, and `interrupted` once the signal aborts.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const settings = demoSettings(options);
  const folder = resolve(options.out);
  try {
    return await withDemoFolder(folder, settings, { isFresh: options.isFresh === true }, () =>
      workThrough(folder, settings, options),
    );
  } catch (error) {
    if (!isHilumError(error) || error.code !== "interrupted") throw error;
    throw new HilumError(
      "interrupted",
      "Stopped; what is done is saved. The same command goes on.",
      { ...error.details, out: folder },
      error,
    );
  }
}

async function workThrough(
  folder: string,
  settings: DemoSettings,
  { out, signal, onEvent }: DemoOptions,
): Promise<DemoResult> {
  const films = join(folder, DEMO_FILES.films);
  const plan = await drawFilms(folder, settings, {
    signal,
    onProgress: (progress) => onEvent?.({ kind: "drawing", ...progress }),
  });
  const dataset = await openDataset(films);
  const { films: _count, ...trained } = settings;
  const run = await train(dataset, trained, {
    out: join(folder, DEMO_FILES.run),
    isResumed: true,
    hasPreview: true,
    cacheFolder: join(folder, DEMO_FILES.cache),
    signal,
    onEvent,
  });
  const classifier = await loadClassifier(run.model);
  try {
    const tested = await evaluate(classifier, dataset, {
      split: "test",
      signal,
      onProgress: (progress) => onEvent?.({ kind: "evaluating", ...progress }),
    });
    const images = await shownFilms(classifier, tested, plan);
    const page = join(folder, DEMO_FILES.page);
    const record = { out, settings, plan, dataset, run, classifier, tested, images };
    writeFileAtomically(page, await demoPage(record));
    const { model, bestEpoch, metrics } = run;
    const test = tested.evaluation;
    return { synthetic: true, page, films, run: run.run, model, bestEpoch, metrics, test, images };
  } finally {
    await classifier.close();
  }
}
