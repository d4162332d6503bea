/** A model card's facts, all of them from the run: nothing is typed. */
import { hash } from "node:crypto";
import { basename } from "node:path";
import { arch, platform } from "node:process";
import { isDeepStrictEqual } from "node:util";
import { type ClassifierMetadata, NOTICE } from "../../classifier/index.ts";
import { labelsOf } from "../../datasets/index.ts";
import {
  type Evaluation,
  evaluatePredictions,
  evaluateSubgroups,
  type MetricValue,
  type PredictionSet,
  type Subgroups,
  withNamedGroups,
} from "../../evaluation/index.ts";
import type { StoredWeights } from "../../models/index.ts";
import { weightsDigest } from "../../onnx/index.node.ts";
import type { Model } from "../../onnx/index.ts";
import { VERSION } from "../../version.ts";
import type { RunFolder } from "../run-folder.ts";
import type { CardResults } from "./results.ts";

export interface PartFacts {
  readonly films: number;
  readonly patients: number;
  readonly labels: Readonly<Record<string, number>>;
}

export interface CardFacts {
  readonly format: 1;
  readonly name: string;
  readonly notice: string;
  readonly task: { readonly labels: readonly string[]; readonly positive: string | null };
  readonly input: ClassifierMetadata["input"];
  readonly operatingPoint: ClassifierMetadata["operatingPoint"];
  readonly data: {
    readonly name: string;
    readonly manifestSha256: string;
    readonly parts: Readonly<Record<string, PartFacts>>;
    readonly leaks: readonly string[];
  };
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly training: {
    readonly epochs: number;
    readonly bestEpoch: number;
    readonly selectedBy: string;
  };
  /** Further trainings whose weights the model's are the mean with; absent without any. */
  readonly averagedWith?: readonly AveragedTraining[];
  /** On the validation films, with intervals. */
  readonly validation: CardEvaluation;
  readonly subgroups: readonly CardSubgroup[];
  /** Name of the worst group; null where there are no two that are large enough. */
  readonly worstSubgroup: string | null;
  /** On other films; null where no evaluation was named. */
  readonly evaluation: CardResults | null;
  readonly calibration: ClassifierMetadata["calibration"];
  /** How the file holds the weights. */
  readonly weights: "float32" | StoredWeights;
  readonly limits: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly hashes: Readonly<Record<string, string>>;
}

export interface AveragedTraining {
  readonly epochs: number;
  readonly bestEpoch: number;
  /** Settings that differ from the recipe's. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface CardEvaluation {
  readonly n: number;
  readonly patients: number | null;
  readonly threshold: number | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly perClass?: Evaluation["perClass"];
}

export interface CardSubgroup {
  readonly column: string;
  readonly group: string;
  readonly n: number;
  readonly metric: string;
  readonly value: MetricValue;
}

/** Fewer films of a class than that leave wide intervals. */
const FEW = 100;

export function cardFacts(
  run: RunFolder,
  {
    model,
    metadata,
    validation,
    csv = run.read("validation")!,
    results = null,
  }: {
    model: Model;
    metadata: ClassifierMetadata;
    validation: PredictionSet;
    /** What the file of these predictions holds; by default the run's own. */
    csv?: string | Uint8Array;
    results?: CardResults | null;
  },
): CardFacts {
  const { task, operatingPoint, input, provenance, calibration = null } = metadata;
  const config = run.config();
  const result = run.result();
  const options = { threshold: operatingPoint?.threshold, patients: validation.patients };
  const evaluation = evaluatePredictions(validation.predictions, task, options);
  const groups = evaluateSubgroups(
    validation.predictions,
    task,
    groupingColumns(withNamedGroups(validation)),
    options,
  );
  const parts = partsOf(run);
  const { n, patients, threshold, metrics, perClass } = evaluation;
  return {
    format: 1,
    name: basename(run.path),
    notice: NOTICE,
    task: {
      labels: labelsOf(task),
      positive:
        task.kind === "classes" && task.positive !== null ? task.classes[task.positive]! : null,
    },
    input,
    operatingPoint,
    data: {
      name: basename(config.data),
      manifestSha256: config.manifestSha256,
      parts,
      leaks: config.leaks,
    },
    recipe: provenance.recipe as Record<string, unknown>,
    training: {
      epochs: result.epochs,
      bestEpoch: result.bestEpoch,
      selectedBy: String(provenance.selectedBy),
    },
    ...averagedTrainings(provenance),
    validation: { n, patients, threshold, metrics, ...(perClass ? { perClass } : {}) },
    ...cardSubgroups(groups),
    evaluation: results,
    calibration,
    weights: metadata.weights ?? "float32",
    limits: limitsOf({ parts, leaks: config.leaks, metadata, results }),
    environment: { hilum: VERSION, node: process.version, system: `${platform} ${arch}` },
    hashes: {
      weights: weightsDigest(model.graph),
      manifest: config.manifestSha256,
      network: config.networkSha256!,
      validationPredictions: hash("sha256", csv),
    },
  };
}

function averagedTrainings({
  recipe,
  averagedWith,
}: ClassifierMetadata["provenance"]): Pick<CardFacts, "averagedWith"> {
  if (!Array.isArray(averagedWith)) return {};
  const own = recipe as Readonly<Record<string, unknown>>;
  const differing = (other: Readonly<Record<string, unknown>>) =>
    Object.entries(other).filter(([key, value]) => !isDeepStrictEqual(value, own[key]));
  const trainings = averagedWith as readonly {
    readonly epochs: number;
    readonly bestEpoch: number;
    readonly recipe: Readonly<Record<string, unknown>>;
  }[];
  return {
    averagedWith: trainings.map(({ epochs, bestEpoch, recipe: other }) => ({
      ...{ epochs, bestEpoch },
      settings: Object.fromEntries(differing(other)),
    })),
  };
}

/** Subgroups as a card holds them. */
export function cardSubgroups(
  subgroups: Subgroups | null,
): Pick<CardFacts, "subgroups" | "worstSubgroup"> {
  const { groups, worst } = subgroups ?? { groups: [], worst: null };
  return {
    subgroups: groups.map(({ column, group, n, metric, evaluation }) => ({
      ...{ column, group, n, metric },
      value: evaluation.metrics[metric]!,
    })),
    worstSubgroup: worst ? `${worst.column}: ${worst.group}` : null,
  };
}

/** Columns that tell groups apart: neither the same everywhere nor different in every film. */
function groupingColumns({ columns, keys }: PredictionSet): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(columns).filter(([name, values]) => {
      const distinct = new Set(values.filter((value) => value !== "")).size;
      return name !== "sha256" && name !== "split" && distinct > 1 && distinct <= keys.length / 4;
    }),
  );
}

interface ManifestLine {
  readonly split: string;
  readonly patient: string;
  readonly label?: string;
  readonly findings?: Readonly<Record<string, number | null>>;
}

function partsOf(run: RunFolder): Record<string, PartFacts> {
  const lines = run.lines<ManifestLine>("manifest");
  const names = [...new Set(lines.map(({ split }) => split))];
  return Object.fromEntries(
    names.map((name) => {
      const films = lines.filter(({ split }) => split === name);
      const labels: Record<string, number> = {};
      for (const line of films)
        for (const label of labelsIn(line)) labels[label] = (labels[label] ?? 0) + 1;
      const patients = new Set(films.map(({ patient }) => patient)).size;
      return [name === "val" ? "validation" : name, { films: films.length, patients, labels }];
    }),
  );
}

function labelsIn({ label, findings }: ManifestLine): string[] {
  if (label !== undefined) return [label];
  return Object.entries(findings ?? {}).flatMap(([name, value]) => (value === 1 ? [name] : []));
}

function limitsOf({
  parts,
  leaks,
  metadata: { task, input },
  results,
}: {
  parts: CardFacts["data"]["parts"];
  leaks: readonly string[];
  metadata: ClassifierMetadata;
  results: CardResults | null;
}): string[] {
  const labels = labelsOf(task);
  const few = labels.filter((label) => (parts.validation?.labels[label] ?? 0) < FEW);
  return [
    `The validation films chose the epoch and the operating point: what is said of them here is too good. ${results ? "Judge the model by the other films." : "Judge the model on films that it has never met."}`,
    `It tells ${labels.join(", ")} apart and nothing else: whatever else a film shows, it answers with these.`,
    `It has met ${parts.train?.films.toLocaleString("en") ?? 0} films of ${parts.train?.patients.toLocaleString("en") ?? 0} patients from one source: other devices, hospitals, ages and projections may be read worse, and nothing here says how much.`,
    `Films are scaled to ${input.size} x ${input.size} pixels: what is smaller than a pixel of that is lost.`,
    few.length > 0 &&
      `Of ${few.join(" and ")} there are fewer than ${FEW} validation films: mind the intervals.`,
    leaks.length > 0 && `Validation was not independent: ${leaks.join(" ")}`,
  ].filter((text) => text !== false);
}
