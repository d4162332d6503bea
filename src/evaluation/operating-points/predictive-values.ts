import type { Counts } from "../binary-summary.ts";
import { normalQuantile } from "../intervals/normal.ts";
import { checkShare } from "./choose.ts";

export interface PredictiveValue {
  /** Null where it is not defined: no film is called so. */
  readonly value: number | null;
  /** Null where the interval is not defined: sensitivity or specificity is 0 or 1. */
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Positive and negative predictive value at a stated prevalence, by Bayes' rule from sensitivity and
 * specificity, with logit intervals for independent films; null without both classes. Throws
 * `invalid-option` for a prevalence that does not lie between 0 and 1.
 * Source: Mercaldo, Lau and Zhou 2007, "Confidence intervals for predictive values with an emphasis
 * to case-control studies", equations 5 and 6.
 */
export function predictiveValuesAt(
  { truePositives, falsePositives, trueNegatives, falseNegatives }: Counts,
  prevalence: number,
  level = 0.95,
): { readonly ppv: PredictiveValue; readonly npv: PredictiveValue } | null {
  checkShare("prevalence", prevalence);
  const positives = truePositives + falseNegatives;
  const negatives = trueNegatives + falsePositives;
  if (positives === 0 || negatives === 0) return null;
  const sensitivity = truePositives / positives;
  const specificity = trueNegatives / negatives;
  const z = normalQuantile(0.5 + level / 2);
  // The odds of a right call, the variance of their logarithm by the delta method.
  const valued = (right: number, wrong: number, variance: number): PredictiveValue => {
    const value = right + wrong === 0 ? null : right / (right + wrong);
    if (value === null || right === 0 || wrong === 0 || !Number.isFinite(variance))
      return { value, low: null, high: null };
    const reach = z * Math.sqrt(variance);
    const at = (logit: number) => 1 / (1 + Math.exp(-logit));
    const logit = Math.log(right / wrong);
    return { value, low: at(logit - reach), high: at(logit + reach) };
  };
  return {
    ppv: valued(
      sensitivity * prevalence,
      (1 - specificity) * (1 - prevalence),
      (1 - sensitivity) / sensitivity / positives + specificity / (1 - specificity) / negatives,
    ),
    npv: valued(
      specificity * (1 - prevalence),
      (1 - sensitivity) * prevalence,
      sensitivity / (1 - sensitivity) / positives + (1 - specificity) / specificity / negatives,
    ),
  };
}
