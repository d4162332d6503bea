import { rankPoints } from "../ranking.ts";
import { checkShare } from "./choose.ts";

/** Net benefits per film, in true positives; calling nothing positive has 0. */
export interface NetBenefitPoint {
  /** The probability from which a physician would act: a false alarm costs its odds. */
  readonly threshold: number;
  readonly model: number;
  /** Where every film is called positive. */
  readonly all: number;
}

export interface DecisionCurveOptions {
  /** From 0 to below 1, ascending. */
  readonly thresholds?: readonly number[] | undefined;
  /** Instead of that of the films, as for a case-control set. */
  readonly prevalence?: number | undefined;
}

const THRESHOLDS = Array.from({ length: 99 }, (_, index) => (index + 1) / 100);

/**
 * The decision curve; empty without both classes. Throws `invalid-option` for a prevalence that does
 * not lie between 0 and 1.
 * Source: Vickers and Elkin 2006, "Decision curve analysis".
 */
export function decisionCurve(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  { thresholds = THRESHOLDS, prevalence }: DecisionCurveOptions = {},
): NetBenefitPoint[] {
  if (prevalence !== undefined) checkShare("prevalence", prevalence);
  const points = rankPoints(labels, scores).toReversed();
  const whole = points[0];
  if (!whole || whole.truePositives === 0 || whole.falsePositives === 0) return [];
  const share = prevalence ?? whole.truePositives / scores.length;
  let place = 0;
  return thresholds.map((threshold) => {
    while (place < points.length && points[place]!.threshold < threshold) place++;
    const at = points[place] ?? { truePositives: 0, falsePositives: 0 };
    const odds = threshold / (1 - threshold);
    return {
      threshold,
      model:
        (share * at.truePositives) / whole.truePositives -
        ((1 - share) * odds * at.falsePositives) / whole.falsePositives,
      all: share - (1 - share) * odds,
    };
  });
}
