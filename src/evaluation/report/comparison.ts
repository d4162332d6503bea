/** Several models on the same films: their numbers, what differs, and the figures that show it. */
import { basename } from "node:path";
import { labelsOf } from "../../datasets/index.portable.ts";
import { HilumError } from "../../errors.ts";
import { compareModels, type ModelPair } from "../comparison/compare.ts";
import { reliabilityBins } from "../curves/reliability.ts";
import { type Evaluation, evaluatePredictions } from "../evaluation.ts";
import { decisionCurveFigure } from "../figures/decision.ts";
import type { Figure } from "../figures/figure.ts";
import { reliabilityFigure } from "../figures/reliability.ts";
import { precisionRecallFigure, rocFigure, type Scored } from "../figures/roc.ts";
import type { IntervalOptions } from "../intervals/settings.ts";
import { decisionCurve } from "../operating-points/decision-curve.ts";
import { columnOf, positiveOf } from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";

export interface NamedSet {
  readonly name: string;
  readonly set: PredictionSet;
  readonly threshold?: number | undefined;
}

export interface Comparison {
  readonly n: number;
  readonly models: readonly { readonly name: string; readonly evaluation: Evaluation }[];
  /** Every pair, in the order of the models. */
  readonly pairs: readonly ModelPair[];
}

/**
 * The models on the films of the first, each with its own threshold (0.5 where there is none). Throws
 * `predictions-differ` naming a film that another model lacks or of which it has another label.
 */
export function compareSets(
  sets: readonly NamedSet[],
  options: Omit<IntervalOptions, "patients"> = {},
): { readonly comparison: Comparison; readonly sets: readonly NamedSet[] } {
  const [first] = sets;
  if (!first || sets.length < 2)
    throw new HilumError("invalid-option", "Name at least two models to compare.", {
      option: "models",
      received: sets.length,
    });
  const aligned = sets.map((model) => ({ ...model, set: alignedTo(first, model) }));
  const { task, patients } = first.set;
  const settings = { ...options, patients };
  const models = aligned.map(({ name, set, threshold }) => ({
    name,
    evaluation: evaluatePredictions(set.predictions, task, { ...settings, threshold }),
  }));
  const compared = aligned.map(({ name, set, threshold }) => ({
    name,
    predictions: set.predictions,
    threshold,
  }));
  const pairs = compareModels(compared, task, settings);
  return { comparison: { n: patients.length, models, pairs }, sets: aligned };
}

/** Names for models in these files or folders: last parts of the paths where these differ, else the paths. */
export function distinctNames(paths: readonly string[]): string[] {
  const short = paths.map((path) => basename(path));
  return new Set(short).size === paths.length ? short : [...paths];
}

/** The model's films in the order of the first's. */
function alignedTo(first: NamedSet, other: NamedSet): PredictionSet {
  const [labels, theirs] = [labelsOf(first.set.task), labelsOf(other.set.task)];
  if (labels.join("\n") !== theirs.join("\n"))
    differ(`${other.name} tells ${theirs.join(", ")} apart, ${first.name} ${labels.join(", ")}.`);
  const places = new Map(other.set.keys.map((key, index) => [key, index]));
  const order = first.set.keys.map((key) => {
    const place = places.get(key);
    if (place === undefined)
      return differ(`${other.name} says nothing of ${key}, ${first.name} does.`);
    return place;
  });
  if (order.length < places.size) {
    const known = new Set(first.set.keys);
    const lacking = other.set.keys.find((key) => !known.has(key));
    differ(`${first.name} says nothing of ${lacking}, ${other.name} does.`);
  }
  const predictions = order.map((place) => other.set.predictions[place]!);
  predictions.forEach(({ target }, index) => {
    if (target.some((value, label) => value !== first.set.predictions[index]!.target[label]))
      differ(`${other.name} has another label for ${first.set.keys[index]} than ${first.name}.`);
  });
  return { ...first.set, predictions };
}

function differ(what: string): never {
  throw new HilumError(
    "predictions-differ",
    `Only models on the same films can be compared: ${what} Evaluate all of them on one data set with --data DIR.`,
    {},
  );
}

/** Curves over each other, where there is a positive class. */
export function comparisonFigures({ models }: Comparison, sets: readonly NamedSet[]): Figure[] {
  const positive = positiveOf(sets[0]!.set.task);
  if (positive === null) return [];
  const scored = sets.map(({ name, set, threshold }, index): Scored => {
    const { metrics } = models[index]!.evaluation;
    return {
      name,
      ...columnOf(set.predictions, positive),
      threshold: threshold ?? models[index]!.evaluation.threshold,
      auroc: metrics.auroc,
      averagePrecision: metrics.averagePrecision,
    };
  });
  const each = <T>(of: (model: Scored) => T) =>
    scored.map((model) => ({ name: model.name, ...of(model) }));
  return [
    rocFigure(scored),
    precisionRecallFigure(scored),
    reliabilityFigure(each(({ labels, scores }) => ({ bins: reliabilityBins(labels, scores) }))),
    decisionCurveFigure(each(({ labels, scores }) => ({ points: decisionCurve(labels, scores) }))),
  ];
}
