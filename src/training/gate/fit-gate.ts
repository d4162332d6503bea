/**
 * The gate, made from a folder of films and a folder of other images, each source a folder of its own.
 * Its heads are measured on patients and on sources that took no part in fitting them (sources are held
 * out in turn, and the gate that is kept is then fitted to all); its limits are set on those patients,
 * so that its rates are stated twice: by these limits, and by limits set on others of the patients.
 */
import {
  GATE_BACKBONE,
  type GateLimits,
  gateBackbone,
  gateModel,
  type LinearScore,
  type Population,
  readGateMetadata,
  verdictOf,
} from "../../classifier/index.ts";
import { openDataset, splitByPatient } from "../../datasets/index.ts";
import type { NamedTensors } from "../../models/index.ts";
import type { Model } from "../../onnx/index.ts";
import { hashPath, randomStream } from "../../random.ts";
import { chestLimit, limitsFrom, lowestOf, OPEN_LIMITS } from "./limits.ts";
import { logisticFit, populationFit } from "./linear-fit.ts";
import { type Caught, caught, filmRates, type Rate } from "./metrics.ts";
import { type OutOfSample, outOfSample } from "./out-of-sample.ts";
import { type Scored, scored, scoredFilms } from "./scored.ts";
import { filmViews, otherViews, type SeeingOptions, type Seen } from "./seen.ts";
import { openViews, type View, type ViewFeatures } from "./views.ts";

export interface FitGateOptions extends SeeingOptions {
  /** Labelled films of children, split by patient. */
  readonly films: string;
  readonly weights: NamedTensors;
  /** Films to fit to; more make it no better. */
  readonly most: number;
}

export interface GateMetrics {
  /** Of films that the limits were set on. */
  readonly films: Readonly<Record<string, Rate>>;
  /** Of the same films, each by limits set on other patients. */
  readonly filmsOutOfSample: OutOfSample;
  /** Of sources that took no part in the fitting. */
  readonly unseenSources: Caught;
  readonly limits: GateLimits;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly seed: number;
}

export interface FittedGate {
  readonly model: Model;
  readonly metrics: GateMetrics;
}

const FOLDS = 5;
const RIDGE = 100;
/** Share of the films that limits are set on, by whole patients. */
export const VALIDATION = 0.2;
/** Features of the population: the means of the channels at each depth. */
const POPULATION = { width: 232, ridge: 0.02 } as const;

/** The gate and what was measured of it. Throws `dataset-empty` and what opening the films throws. */
export async function fitGate(options: FitGateOptions): Promise<FittedGate> {
  const { seed, most, onProgress } = options;
  const dataset = await openDataset(options.films);
  const split = splitByPatient(dataset.samples, dataset.task, { seed, valFraction: VALIDATION });
  const training = randomStream(seed, "gate films").shuffled(split.train).slice(0, most);
  const backbone = gateBackbone(options.weights);
  const reader = await openViews(backbone, seed);
  const films = await filmViews(training, reader, { onProgress, work: "films to fit to" });
  const validation = await filmViews(split.validation, reader, {
    onProgress,
    work: "films to measure on",
  });
  const others = await otherViews(options, reader);
  await reader.close();

  const ofView = (list: readonly Seen[], ...views: View[]) =>
    list.filter(({ view }) => views.includes(view));
  const upright = ofView(films, "plain", "varied");
  const positive = await logistic(
    upright.map(({ film }) => film),
    upright.map(({ negative }) => negative),
  );
  const scoreOf = ({ weights, bias }: LinearScore, row: Float32Array) =>
    weights.reduce((sum, weight, index) => sum + weight * row[index]!, bias);
  /** As the graph does: the image or its negative, whichever looks more like a film. */
  const kept = ({ film, negative }: ViewFeatures) =>
    scoreOf(positive, negative) > scoreOf(positive, film) ? negative : film;

  const rowsOf = (list: readonly Seen[]) => list.map(kept);
  const turned = await logistic(rowsOf(upright), rowsOf(ofView(films, "turned")));
  const whole = await logistic(rowsOf(upright), rowsOf(ofView(films, "part")));
  const chestRows = rowsOf(films);
  const chestFor = (sources: (source: string) => boolean) =>
    logistic(chestRows, rowsOf(others.filter(({ source }) => sources(source))));
  const chest = await chestFor(() => true);
  const population: Population = populationFit(
    ofView(films, "plain").map(({ film }) => film),
    POPULATION,
  );
  const varied = rowsOf(ofView(validation, "varied"));
  const chestLimitOf = (head: LinearScore) =>
    chestLimit(lowestOf(varied.map((row) => scoreOf(head, row))));

  const foldOf = (source: string) => hashPath(seed, "gate fold", source) % FOLDS;
  const unseen: { source: string; isCaught: boolean }[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const head = await chestFor((source) => foldOf(source) !== fold);
    const limit = chestLimitOf(head);
    for (const other of others)
      if (other.view === "plain" && foldOf(other.source) === fold)
        unseen.push({ source: other.source, isCaught: scoreOf(head, kept(other)) < limit });
  }

  const provenance = {
    backbone: GATE_BACKBONE,
    seed,
    trainingFilms: training.length,
    otherImages: ofView(others, "plain").length,
    sources: [...new Set(others.map(({ source }) => source))].sort(),
  };
  const partsWith = (limits: GateLimits) =>
    gateModel({
      backbone,
      chest,
      upright: turned,
      whole,
      positive,
      population,
      limits,
      provenance,
    });
  const validationFilms = await scoredFilms(partsWith(OPEN_LIMITS), validation, reader.side);
  const limits = limitsFrom(validationFilms.plain, validationFilms.varied);
  const model = partsWith(limits);
  const gate = readGateMetadata(model.metadata, "the gate")!;
  const verdicts = (list: readonly Scored[]) => list.map(({ ordered }) => verdictOf(ordered, gate));
  const [turnedFilms, parts] = [
    await scored(model, ofView(validation, "turned"), reader.side),
    await scored(model, ofView(validation, "part"), reader.side),
  ];
  const { plain, varied: heavily, negatives } = validationFilms;
  return {
    model,
    metrics: {
      films: filmRates({
        plain: verdicts(plain),
        varied: verdicts(heavily),
        negatives: verdicts(negatives),
        turned: verdicts(turnedFilms),
        part: verdicts(parts),
      }),
      filmsOutOfSample: outOfSample(validationFilms, seed),
      unseenSources: caught(unseen),
      provenance,
      limits,
      seed,
    },
  };
}

const logistic = (ones: readonly Float32Array[], zeros: readonly Float32Array[]) =>
  logisticFit({
    rows: [...ones, ...zeros],
    targets: [...ones.map(() => 1 as const), ...zeros.map(() => 0 as const)],
    ridge: RIDGE,
  });
