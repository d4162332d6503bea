/** What the films that a model was validated on say of those that it is evaluated on. */
import { labelsOf } from "../../datasets/index.portable.ts";
import { percent, pText } from "../figures/figure.ts";
import { errorsAt, type UncertainBand, uncertainBand } from "../operating-points/risk-coverage.ts";
import { positiveColumn, positiveOf } from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { type Shift, type ShiftSample, shiftBetween } from "../shift/shift.ts";

/** What the network sees of either set; else why that is not known. */
export type Embeddings =
  | {
      readonly validation: readonly Float32Array[];
      readonly evaluated: readonly Float32Array[];
    }
  | { readonly unknown: string };

/** What is known of the validation films; else why nothing is. */
export type Validation =
  | {
      readonly set: PredictionSet;
      /** Other films that the user named in their place: they chose nothing. */
      readonly isStated?: boolean | undefined;
      /** Statistics of the films of either set; empty where there are no files. */
      readonly films: {
        readonly validation: ShiftSample["features"];
        readonly evaluated: ShiftSample["features"];
      };
      readonly embeddings: Embeddings;
    }
  | { readonly unknown: string };

export interface ReportedShift extends Shift {
  /** What the evaluated films are held against. */
  readonly against: string;
  /** Why nothing is known; null where something is. */
  readonly reason: string | null;
  /** Why there is no distance of embeddings; null where there is one. */
  readonly embeddingsReason: string | null;
}

const VALIDATION_FILMS = "the validation films";
const STATED_FILMS = "the films of --reference";

export function shiftOf(set: PredictionSet, validation: Validation): ReportedShift {
  if ("unknown" in validation)
    return {
      features: [],
      embeddings: null,
      warnings: [],
      against: VALIDATION_FILMS,
      reason: validation.unknown,
      embeddingsReason: validation.unknown,
    };
  const { films, isStated, embeddings } = validation;
  const against = isStated ? STATED_FILMS : VALIDATION_FILMS;
  const known = "unknown" in embeddings ? undefined : embeddings;
  const shift = shiftBetween(
    {
      features: { ...scoresOf(validation.set), ...films.validation },
      embeddings: known?.validation,
    },
    { features: { ...scoresOf(set), ...films.evaluated }, embeddings: known?.evaluated },
    { name: against },
  );
  const embeddingsReason = "unknown" in embeddings ? embeddings.unknown : TOO_FEW;
  return {
    ...shift,
    against,
    reason: null,
    embeddingsReason: shift.embeddings ? null : embeddingsReason,
  };
}

const TOO_FEW = "not defined: either set needs two films that can be read";

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
  if ("unknown" in validation || validation.isStated) return null;
  const [known, here] = [validation.set, set].map((of) => positiveColumn(of.predictions, of.task));
  if (!known || !here || threshold === null) return null;
  const riskOfAll = shareOf(errorsAt(known.labels, known.scores, threshold));
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
  { labels, scores }: NonNullable<ReturnType<typeof positiveColumn>>,
  threshold: number,
  band: UncertainBand,
): BandOutcome {
  const wrong = errorsAt(labels, scores, threshold);
  const isOutside = (film: number) =>
    !isWhole(band) && (scores[film]! < band.low || scores[film]! >= band.high);
  const decided = wrong.filter((_, film) => isOutside(film));
  return {
    share: 1 - decided.length / scores.length,
    risk: decided.length === 0 ? null : shareOf(decided),
    riskOfAll: shareOf(wrong),
  };
}

/** Whether no film lies outside: also one of probability 1 is in it then. */
const isWhole = ({ risk }: Pick<UncertainBand, "risk">): boolean => risk === null;

const shareOf = (errors: Uint8Array): number =>
  errors.reduce((sum, error) => sum + error, 0) / errors.length;

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
export function bandText({ low, high, rule, validation }: ReportedBand): string {
  const which = isWhole(validation)
    ? "every film, for no band of probabilities halves the errors on the validation films"
    : low === high
      ? "no film, for no validation film was read wrongly"
      : `a probability from ${low.toFixed(4)} to below ${high.toFixed(4)} (chosen on validation: ${rule})`;
  return `Uncertain: read by a human first: ${which}.`;
}

export const SHIFT_HEAD = [
  "what is compared",
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
    pText(p),
  ]);
}

/** The distance of what the network sees, or why there is none. */
export function embeddingText({ embeddings, embeddingsReason, against }: ReportedShift): string {
  if (!embeddings) return `What the network sees: ${embeddingsReason}.`;
  const { mmd, p, n } = embeddings;
  return `What the network sees (its last features): squared maximum mean discrepancy ${mmd.toPrecision(3)} from ${against}, p = ${pText(p)} by ${n.toLocaleString("en")} films of both and 500 permutations; about 0 without a shift.`;
}
