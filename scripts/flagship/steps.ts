/** The steps from films to the shipped file; each finds out by itself whether it is done. */
import { hash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  flipAveraged,
  NOTICE,
  readMetadata,
  withFeatures,
  withGate,
  withHeatMap,
  withStoredWeights,
} from "../../src/classifier/index.ts";
import { predictionsCsv } from "../../src/evaluation/index.ts";
import { writeFileAtomically } from "../../src/files.node.ts";
import { readModelFile, writeModelFile } from "../../src/onnx/index.node.ts";
import {
  averagedRuns,
  CARD_FILES,
  calibrateRun,
  finishedRun,
  runFolder,
  type TrainEvent,
  train,
  validationBy,
  writeCard,
} from "../../src/training/index.ts";
import { heatMapsTried } from "./heat-maps.ts";
import { judged } from "./judged.ts";
import type { FlagshipRecipe } from "./recipe.ts";

export interface Making {
  readonly recipe: FlagshipRecipe;
  readonly data: string;
  /** The backbone's file; undefined for a network without one. */
  readonly weights: string | undefined;
  /** The gate to put in front (npm run gate makes it); undefined for none. */
  readonly gate: string | undefined;
  /** Folder of the first training's run; `trainingFolders` gives the others'. */
  readonly run: string;
  /** Where `pneumonia.onnx` and what goes with it are written. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onTrainEvent?: ((event: TrainEvent) => void) | undefined;
  readonly onProgress?: ((title: string, done: number, total: number) => void) | undefined;
}

export interface Step {
  readonly title: string;
  readonly minutes: (recipe: FlagshipRecipe) => number;
  isDone(making: Making): Promise<boolean>;
  work(making: Making): Promise<void>;
}

export const SHIPPED = {
  model: "pneumonia.onnx",
  card: "pneumonia.md",
  metrics: "pneumonia.metrics.json",
  heatMaps: "pneumonia.heat-maps.json",
} as const;

const modelOf = (run: string) => readModelFile(runFolder(run).file("model"));
const metadataOf = async (run: string) => readMetadata((await modelOf(run)).metadata, run);
const isFinished = (run: string) => runFolder(run).state() === "finished";
const isTrained = ({ run }: Making) => isFinished(run);
const progress = ({ onProgress }: Making, title: string) => ({
  onProgress: ({ done, total }: { done: number; total: number }) =>
    onProgress?.(title, done, total),
});
const digestOf = (file: string) => hash("sha256", readFileSync(file));

/** Whether a file beside the bundle tells of the bundle as it is. */
function isOfModel(out: string, name: string): boolean {
  const [model, facts] = [join(out, SHIPPED.model), join(out, name)];
  if (!existsSync(model) || !existsSync(facts)) return false;
  const { sha256 } = JSON.parse(readFileSync(facts, "utf8")) as { sha256?: string };
  return sha256 === digestOf(model);
}

/** Whether the bundle there is this run's: the repository comes with one of an earlier run. */
async function isBundled({ gate, run, out }: Making): Promise<boolean> {
  const [model, card] = [join(out, SHIPPED.model), join(out, SHIPPED.card)];
  const ownCard = join(run, CARD_FILES.markdown);
  if (![model, card, ownCard].every((file) => existsSync(file))) return false;
  const { metadata } = await readModelFile(model);
  const isOf = (key: string, source: ReadonlyMap<string, string> | undefined) =>
    metadata.get(key) === source?.get(key);
  const gateFile = gate && existsSync(gate) ? await readModelFile(gate) : undefined;
  return (
    readFileSync(card).equals(readFileSync(ownCard)) &&
    isOf("hilum.card", (await modelOf(run)).metadata) &&
    isOf("hilum.gate", gateFile?.metadata)
  );
}

/** Folders of the runs by training: the first one's is `run` itself. */
function trainingFolders({ recipe, run }: Pick<Making, "recipe" | "run">): Map<string, string> {
  const names = Object.keys(recipe.trainings);
  return new Map(names.map((name, place) => [name, place === 0 ? run : `${run}-${name}`]));
}

/** Of the trainings after the first. */
const furtherRuns = (making: Making): string[] => [...trainingFolders(making).values()].slice(1);

const trainingStep = (name: string): Step => ({
  title: `train by ${name} augmentation (hilum train --resume)`,
  minutes: ({ trainings, epochMinutes }) => epochMinutes * (trainings[name]?.epochs ?? 0),
  isDone: async (making) => isFinished(trainingFolders(making).get(name)!),
  async work(making) {
    const { recipe, data, weights, signal, onTrainEvent } = making;
    const out = trainingFolders(making).get(name)!;
    const context = { out, isResumed: true, signal, onEvent: onTrainEvent };
    await train(data, { ...recipe.trainings[name]!, weights }, context);
  },
});

/** From the first training to the file and what is measured of it. */
export const stepsOf = ({ trainings }: FlagshipRecipe): readonly Step[] => [
  ...Object.keys(trainings).map(trainingStep),
  ...AFTER_TRAINING,
];

const AFTER_TRAINING: readonly Step[] = [
  {
    title: "average the weights of the trainings (hilum export --average-with)",
    minutes: () => 0,
    async isDone(making) {
      if (!isTrained(making)) return false;
      const { averagedWith } = (await metadataOf(making.run)).provenance;
      return Array.isArray(averagedWith) && averagedWith.length === furtherRuns(making).length;
    },
    async work(making) {
      const mean = await averagedRuns(
        finishedRun(making.run),
        furtherRuns(making).map(finishedRun),
      );
      writeModelFile(runFolder(making.run).file("model"), mean);
    },
  },
  {
    title: "average over each film and its mirror, and read the validation films so",
    minutes: () => 1,
    isDone: async (making) =>
      isTrained(making) && (await metadataOf(making.run)).input.averaging === "flip",
    async work(making) {
      const { data, signal } = making;
      const run = finishedRun(making.run);
      const model = flipAveraged(await modelOf(making.run));
      const said = await validationBy(model, run, {
        data,
        signal,
        ...progress(making, "reading validation films"),
      });
      // Before the model, which says that the step is done: the card is made of it.
      run.write("validation", predictionsCsv(said));
      writeModelFile(run.file("model"), model);
    },
  },
  {
    title: "calibrate and choose the threshold (hilum calibrate --corrupted)",
    minutes: ({ minutes }) => minutes / 2,
    async isDone(making) {
      if (!isTrained(making)) return false;
      const { calibration, operatingPoint } = await metadataOf(making.run);
      return calibration?.method === making.recipe.calibration && operatingPoint !== null;
    },
    async work(making) {
      const { recipe, data, run, signal } = making;
      await calibrateRun(finishedRun(run), {
        method: recipe.calibration,
        rule: recipe.rule,
        corrupted: { data, signal, ...progress(making, "reading films") },
      });
    },
  },
  {
    title: "write the card (hilum card)",
    minutes: () => 0,
    isDone: async ({ run }) => existsSync(join(run, CARD_FILES.markdown)),
    async work({ run }) {
      await writeCard(finishedRun(run));
    },
  },
  {
    title: "write the bundle (heat map, features, gate, stored weights) and its card",
    minutes: () => 0,
    isDone: isBundled,
    async work({ recipe, gate, run, out }) {
      mkdirSync(out, { recursive: true });
      const mapped = recipe.heatMap
        ? withHeatMap(await modelOf(run), { method: recipe.heatMap })
        : await modelOf(run);
      const whole = withFeatures(mapped);
      const gated = gate ? withGate(whole, await readModelFile(gate)) : whole;
      writeModelFile(join(out, SHIPPED.model), withStoredWeights(gated, recipe.storedWeights));
      writeFileAtomically(join(out, SHIPPED.card), readFileSync(join(run, CARD_FILES.markdown)));
    },
  },
  {
    title: "measure the bundle on the validation films, clean and corrupted",
    minutes: ({ minutes }) => minutes / 2,
    isDone: async ({ out }) => isOfModel(out, SHIPPED.metrics),
    async work(making) {
      const { data, run, out, signal } = making;
      const file = join(out, SHIPPED.model);
      const facts = {
        sha256: digestOf(file),
        ...(await judged(file, {
          run: finishedRun(run),
          data,
          signal,
          ...progress(making, "measuring"),
        })),
      };
      writeFileAtomically(join(out, SHIPPED.metrics), `${JSON.stringify(facts, null, 2)}\n`);
    },
  },
  {
    title: "try the bundle's heat maps on validation films (hilum evaluate --faithfulness)",
    minutes: ({ heatMapMinutes }) => heatMapMinutes,
    isDone: async ({ out }) => isOfModel(out, SHIPPED.heatMaps),
    async work(making) {
      const { recipe, data, run, out, signal } = making;
      const file = join(out, SHIPPED.model);
      const found = await heatMapsTried(file, {
        run: finishedRun(run),
        data,
        wanted: recipe.faithfulness,
        signal,
        ...progress(making, "trying heat maps"),
      });
      const facts = { sha256: digestOf(file), notice: NOTICE, ...found };
      writeFileAtomically(join(out, SHIPPED.heatMaps), `${JSON.stringify(facts, null, 2)}\n`);
    },
  },
];
