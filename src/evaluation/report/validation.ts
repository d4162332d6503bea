/** What the films that a model was validated on say of those that it is evaluated on. */
import { labelsOf } from "../../datasets/index.portable.ts";
import { percent } from "../figures/figure.ts";
import { confidenceAt, riskCoverage, uncertainBand } from "../operating-points/risk-coverage.ts";
import { type PredictionSet, positiveOf } from "../prediction-set.ts";
import { type Shift, type ShiftSample, shiftBetween } from "../shift/shift.ts";
import { binaryOf } from "./analysis.ts";

/** What is known of the validation films; else why nothing is. */
export type Validation =
  | {
      readonly set: PredictionSet;
      /** Statistics of the films of either set; empty where there are no files. */
      readonly films: {
        readonly validation: ShiftSample["features"];
        readonly evaluated: ShiftSample["features"];
      };
    }
  | { readonly unknown: string };

export interface ReportedShift extends Shift {
  /** Why nothing is known; null where something is. */
  readonly reason: string | null;
}

export function shiftOf(set: PredictionSet, validation: Validation): ReportedShift {
  if ("unknown" in validation)
    return { features: [], embeddings: null, warnings: [], reason: validation.unknown };
  const { films } = validation;
  const shift = shiftBetween(
    { features: { ...scoresOf(validation.set), ...films.validation } },
    { features: { ...scoresOf(set), ...films.evaluated } },
    { name: "the validation films" },
  );
  return { ...shift, reason: null };
}

function scoresOf({ task, predictions }: PredictionSet): ShiftSample["features"] {
  const positive = positiveOf(task);
  return Object.fromEntries(
    labelsOf(task).flatMap((label, column) =>
      positive === null || positive === column
        ? [
            [
              `probability of ${label}`,
              predictions.map(({ probabilities }) => probabilities[column]!),
            ],
          ]
        : [],
    ),
  );
}

interface BandOutcome {
  /** Share of the films in the band. */
  readonly share: number;
  /** Share of the others that are read wrongly; null where there are none. */
  readonly risk: number | null;
  readonly riskOfAll: number;
}

export interface ReportedBand {
  /** Probabilities of the positive class from `low` to below `high`. */
  readonly low: number;
  readonly high: number;
  readonly rule: string;
  readonly validation: BandOutcome;
  readonly evaluated: BandOutcome;
}

const RULE = "half the errors among the other validation films";

/** Chosen on the validation films; null without a positive class or without those films. */
export function bandOf(
  set: PredictionSet,
  threshold: number | null,
  validation: Validation,
): ReportedBand | null {
  const [known, here] = ["unknown" in validation ? null : binaryOf(validation.set), binaryOf(set)];
  if (!known || !here || threshold === null) return null;
  const errors = known.labels.map((label, film) =>
    Number(known.scores[film]! >= threshold !== (label === 1)),
  );
  const confidences = known.scores.map((score) => confidenceAt(score, threshold));
  const riskOfAll = riskCoverage(errors, confidences).points.at(-1)?.risk ?? 0;
  const band = uncertainBand(known.labels, known.scores, { threshold, risk: riskOfAll / 2 });
  if (!band) return null;
  const { low, high, share, risk } = band;
  return {
    low,
    high,
    rule: RULE,
    validation: { share, risk, riskOfAll },
    evaluated: outcomeOf(here, threshold, band),
  };
}

function outcomeOf(
  { labels, scores }: NonNullable<ReturnType<typeof binaryOf>>,
  threshold: number,
  { low, high }: { readonly low: number; readonly high: number },
): BandOutcome {
  const wrong = scores.map((score, film) => score >= threshold !== (labels[film] === 1));
  const isOutside = scores.map((score) => score < low || score >= high);
  const outside = isOutside.filter(Boolean).length;
  const wrongOutside = wrong.filter((isWrong, film) => isWrong && isOutside[film]).length;
  return {
    share: 1 - outside / scores.length,
    risk: outside === 0 ? null : wrongOutside / outside,
    riskOfAll: wrong.filter(Boolean).length / scores.length,
  };
}

export const BAND_HEAD = [
  "uncertain: read by a human first",
  "in the band",
  "wrong among the others",
  "wrong of all",
];

export function bandRows({ validation, evaluated }: ReportedBand): string[][] {
  const row = (name: string, { share, risk, riskOfAll }: BandOutcome) => [
    name,
    percent(share),
    risk === null ? "none left" : percent(risk, 2),
    percent(riskOfAll, 2),
  ];
  return [row("validation films, which chose it", validation), row("these films", evaluated)];
}

/** The band in words. */
export const bandText = ({ low, high, rule }: ReportedBand): string =>
  low === high
    ? "Uncertain: read by a human first: no film, for no validation film was read wrongly."
    : `Uncertain: read by a human first: a probability from ${low.toFixed(4)} to below ${high.toFixed(4)} (chosen on validation: ${rule}).`;

export const SHIFT_HEAD = [
  "against validation",
  "mean there",
  "mean here",
  "distribution moved",
  "p (Holm)",
];

export function shiftRows({ features }: Shift): string[][] {
  return features.map(({ feature, reference, current, statistic, p }) => [
    feature,
    reference.toFixed(3),
    current.toFixed(3),
    percent(statistic, 0),
    p < 0.0001 ? "< 0.0001" : p.toFixed(4),
  ]);
}
