/**
 * The gate, made from a folder of films and a folder of other images, each source a folder of its own.
 * Its heads are measured on patients and on sources that took no part in fitting them (sources are held
 * out in turn, and the gate that is kept is then fitted to all); its limits are set on those patients.
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
import { openSession } from "../../onnx/index.node.ts";
import type { Model } from "../../onnx/index.ts";
import { hashPath, randomStream } from "../../random.ts";
import { logisticFit, populationFit } from "./linear-fit.ts";
import { caught, type GateMetrics, measured, type Scored } from "./metrics.ts";
import { filmViews, otherViews, type SeeingOptions, type Seen } from "./seen.ts";
import { openViews, VIEWS, type View, type ViewFeatures } from "./views.ts";

export interface FitGateOptions extends SeeingOptions {
  /** Labelled films of children, split by patient. */
  readonly films: string;
  readonly weights: NamedTensors;
  /** Films to fit to; more make it no better. */
  readonly most: number;
}

export interface FittedGate {
  readonly model: Model;
  readonly metrics: GateMetrics;
}

const FOLDS = 5;
const RIDGE = 100;
const VALIDATION = 0.2;
/** Features of the population: the means of the channels at each depth. */
const POPULATION = { width: 232, ridge: 0.02 } as const;

/** The gate and what was measured of it. Throws `dataset-empty` and what opening the films throws. */
export async function fitGate(options: FitGateOptions): Promise<FittedGate> {
  const { seed, most } = options;
  const dataset = await openDataset(options.films);
  const split = splitByPatient(dataset.samples, dataset.task, { seed, valFraction: VALIDATION });
  const training = randomStream(seed, "gate films").shuffled(split.train).slice(0, most);
  const backbone = gateBackbone(options.weights);
  const reader = await openViews(backbone, seed);
  const films = await filmViews(training, reader, options, "films to fit to");
  const validation = await filmViews(split.validation, reader, options, "films to measure on");
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
  const lowest = (head: LinearScore, share: number) =>
    quantile(
      varied.map((row) => scoreOf(head, row)),
      share,
    );
  const chestLimit = (head: LinearScore) => Math.min(0, lowest(head, 0.005));

  const foldOf = (source: string) => hashPath(seed, "gate fold", source) % FOLDS;
  const unseen: { source: string; isCaught: boolean }[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const head = await chestFor((source) => foldOf(source) !== fold);
    const limit = chestLimit(head);
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
  const open: GateLimits = {
    side: 96,
    aspect: 4,
    contrast: 0,
    brightest: 0,
    darkest: 255,
    black: 1,
    white: 1,
    chest: -1e9,
    upright: -1e9,
    whole: -1e9,
    inversion: 0,
    distance: 1e9,
  };
  const plain = await scored(partsWith(open), ofView(validation, "plain"), reader.side);
  const column = (name: keyof GateLimits, list: readonly Scored[]) =>
    list.map(({ values }) => values[name]!);
  const all = (name: keyof GateLimits) => column(name, plain);
  // Half as far again as any film was: what lies beyond has lost what a reading could rest on.
  const limits: GateLimits = {
    ...open,
    contrast: Math.min(...all("contrast")) / 2,
    brightest: Math.min(...all("brightest")) * 0.6,
    darkest: 255 - (255 - Math.max(...all("darkest"))) * 0.6,
    black: 1 - (1 - Math.max(...all("black"))) * 0.6,
    white: 1 - (1 - Math.max(...all("white"))) * 0.6,
    chest: chestLimit(chest),
    upright: lowest(turned, 0.005),
    whole: lowest(whole, 0.005),
    distance: quantile(column("distance", plain), 0.985),
  };
  const model = partsWith(limits);
  const gate = readGateMetadata(model.metadata, "the gate")!;
  const verdicts = async (list: readonly Seen[]) =>
    (await scored(model, list, reader.side)).map(({ ordered }) => verdictOf(ordered, gate));
  const views = Object.fromEntries(
    await Promise.all(
      VIEWS.map(async (view) => [view, await verdicts(ofView(validation, view))] as const),
    ),
  ) as Record<View, Awaited<ReturnType<typeof verdicts>>>;
  const negatives = await verdicts(
    ofView(validation, "plain").map((seen) => ({
      ...seen,
      pixels: seen.pixels.map((grey) => 255 - grey),
    })),
  );
  return {
    model,
    metrics: measured({ views, negatives, unseen: caught(unseen), provenance, limits, seed }),
  };
}

const logistic = (ones: readonly Float32Array[], zeros: readonly Float32Array[]) =>
  logisticFit({
    rows: [...ones, ...zeros],
    targets: [...ones.map(() => 1 as const), ...zeros.map(() => 0 as const)],
    ridge: RIDGE,
  });

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** The gate's own graph on views: the numbers that a reading will get. */
async function scored(gate: Model, seen: readonly Seen[], side: number): Promise<Scored[]> {
  const session = await openSession(gate);
  const { scores } = readGateMetadata(gate.metadata, "the gate")!;
  const known: Readonly<Record<string, number>> = { side, aspect: 1 };
  const results: Scored[] = [];
  for (const { pixels } of seen) {
    const films = {
      type: "float32",
      dims: [1, 1, side, side],
      data: Float32Array.from(pixels),
    } as const;
    const made = await session.run({ films });
    const ordered = scores.map(({ name }) => known[name] ?? (made[name]!.data as Float32Array)[0]!);
    const values = Object.fromEntries(scores.map(({ name }, index) => [name, ordered[index]!]));
    results.push({ ordered, values });
  }
  await session.close();
  return results;
}
