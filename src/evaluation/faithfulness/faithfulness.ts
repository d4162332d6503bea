/**
 * Whether heat maps show what a classifier's answers rest on: deletion and insertion (RISE), likeness
 * to the maps of a network that has forgotten what it learnt (Adebayo et al. 2018), and stability where
 * the film is shifted. Nothing of it says that the network looks at the disease.
 */
import {
  type Classifier,
  type ExplanationMethod,
  openExplainer,
  openPictureReader,
  type PictureReader,
} from "../../classifier/index.node.ts";
import { weightLayers, withShuffledWeights } from "../../classifier/index.ts";
import { labelsOf } from "../../datasets/index.portable.ts";
import { HilumError } from "../../errors.ts";
import { readImage } from "../../images/index.ts";
import type { Model } from "../../onnx/index.ts";
import { UNKNOWN_PATIENT } from "../evaluation.ts";
import { type IntervalOptions, intervalSettings } from "../intervals/settings.ts";
import {
  type Curves,
  centreCurves,
  filmRecord,
  type Mapper,
  type SeenFilm,
} from "./film-record.ts";
import { STEPS } from "./perturbation.ts";
import { SHIFT } from "./shift.ts";
import { type MethodFaithfulness, meanCurves, summaryOf } from "./summary.ts";

export interface FaithfulFilm {
  readonly path: string;
  readonly patient: string;
  /** Path of a film that is called otherwise, whose pixels take the place of this one's. */
  readonly other?: string | undefined;
}

/** A way to make heat maps of a model, also of one whose weights are shuffled. */
export interface MapMaker {
  readonly method: string;
  open(model: Model): Promise<Mapper>;
}

export interface FaithfulnessOptions extends Omit<IntervalOptions, "patients"> {
  /** What the maps speak for: one of the model's labels. */
  readonly class: string;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface Faithfulness {
  /** What the maps speak for. */
  readonly class: string;
  readonly films: number;
  readonly patients: number | null;
  /** Equal shares of the pixels in which they go. */
  readonly steps: number;
  /** Pixels of the network's picture. */
  readonly shift: number;
  /** Layers with weights that can be shuffled. */
  readonly layers: number;
  readonly seed: number;
  /** Means over the films of pixels from the middle outwards. */
  readonly centre: Curves;
  readonly methods: readonly MethodFaithfulness[];
}

/** Throws `no-heat-map`, `invalid-option`, `interrupted` and what reading a film throws. */
export function faithfulness(
  classifier: Pick<Classifier, "model" | "metadata">,
  films: readonly FaithfulFilm[],
  {
    methods = ["grad-cam"],
    ...options
  }: FaithfulnessOptions & { readonly methods?: readonly ExplanationMethod[] | undefined },
): Promise<Faithfulness> {
  const { class: label, threads } = options;
  const makers = methods.map((method) => ({
    method,
    open: (model: Model) => openExplainer(model, { method, class: label, threads }),
  }));
  return faithfulnessOf(classifier, films, makers, options);
}

/** The same of any way to make heat maps. */
export async function faithfulnessOf(
  { model, metadata }: Pick<Classifier, "model" | "metadata">,
  films: readonly FaithfulFilm[],
  makers: readonly MapMaker[],
  options: FaithfulnessOptions,
): Promise<Faithfulness> {
  const { class: label, signal, onProgress, threads, ...intervals } = options;
  const settings = intervalSettings(intervals);
  const { seed } = settings;
  const patients = films.map(({ patient }) => patient);
  const total = films.length * (makers.length + 1);
  const reader = await openPictureReader(model, { threads });
  try {
    const walk = filmWalk(films, { reader, metadata, label, seed, signal, onProgress, total });
    const centres = await walk((seen) => centreCurves(reader, seen));
    const methods: MethodFaithfulness[] = [];
    for (const { method, open } of makers)
      await withMappers(model, { open, seed }, async (mappers) => {
        const { fit } = metadata.input;
        const records = await walk((seen, index) =>
          filmRecord(seen, { reader, fit, ...mappers, centre: centres[index]! }),
        );
        const levels = [...mappers.shuffled.keys()];
        methods.push({ method, ...summaryOf(records, { patients, settings, levels }) });
      });
    return {
      class: label,
      films: films.length,
      patients: patients.some((patient) => !patient.startsWith(UNKNOWN_PATIENT))
        ? new Set(patients).size
        : null,
      steps: STEPS,
      shift: SHIFT,
      layers: weightLayers(model).length,
      seed,
      centre: meanCurves(centres),
      methods,
    };
  } finally {
    await reader.close();
  }
}

type Walk = <T>(work: (seen: SeenFilm, index: number) => Promise<T>) => Promise<T[]>;

interface WalkOptions
  extends Pick<FaithfulnessOptions, "signal" | "onProgress">,
    Pick<Classifier, "metadata"> {
  readonly reader: PictureReader;
  readonly label: string;
  readonly seed: number;
  /** Films of all walks together. */
  readonly total: number;
}

/** Each film decoded and seen anew, so that few are held at once. Throws `invalid-option`. */
function filmWalk(films: readonly FaithfulFilm[], options: WalkOptions): Walk {
  const { reader, metadata, label, seed, signal, onProgress, total } = options;
  const labels = labelsOf(metadata.task);
  const column = labels.indexOf(label);
  if (column < 0)
    throw new HilumError(
      "invalid-option",
      `The model knows no class "${label}". There are: ${labels.join(", ")}.`,
      { option: "class", value: label, allowed: labels },
    );
  const { window } = metadata.input;
  const decoded = (path: string) => readImage(path, window ? { window } : {});
  let done = 0;
  return async (work) => {
    const results = [];
    for (const [index, { path, other }] of films.entries()) {
      if (signal?.aborted)
        throw new HilumError("interrupted", "Stopped before all heat maps were tried.");
      const film = await decoded(path);
      const seen = {
        film,
        picture: await reader.pictureOf(film),
        other: other === undefined ? null : await reader.pictureOf(await decoded(other)),
      };
      results.push(await work({ ...seen, column, key: String(index), seed }, index));
      onProgress?.({ done: ++done, total });
    }
    return results;
  };
}

interface Mappers {
  readonly own: Mapper;
  readonly shuffled: ReadonlyMap<number, Mapper>;
}

async function withMappers(
  model: Model,
  { open, seed }: Pick<MapMaker, "open"> & { readonly seed: number },
  work: (mappers: Mappers) => Promise<void>,
): Promise<void> {
  const layers = weightLayers(model);
  const opened: Mapper[] = [];
  const openKept = async (of: Model) => {
    const mapper = await open(of);
    opened.push(mapper);
    return mapper;
  };
  try {
    const own = await openKept(model);
    const shuffled = new Map<number, Mapper>();
    for (const count of levelsOf(layers.length)) {
      const forgetful = withShuffledWeights(model, layers.slice(-count), { seed });
      shuffled.set(count, await openKept(forgetful));
    }
    await work({ own, shuffled });
  } finally {
    for (const mapper of opened) await mapper.close();
  }
}

/** The last layer alone, a third, two thirds, all. */
export function levelsOf(layers: number): number[] {
  const shares = [1 / 3, 2 / 3, 1].map((share) => Math.ceil(share * layers));
  return [...new Set([1, ...shares])].filter((count) => count >= 1 && count <= layers);
}
