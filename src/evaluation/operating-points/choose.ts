/** Where a probability becomes a positive. Chosen on validation films, never on those evaluated. */
import { HilumError } from "../../errors.ts";
import { type RankPoint, rankPoints } from "../ranking.ts";

export type OperatingRule =
  /** The largest sensitivity + specificity. Source: Youden 1950. */
  | { readonly kind: "youden" }
  /** The largest specificity with at least this sensitivity. */
  | { readonly kind: "sensitivity"; readonly target: number }
  /** The largest sensitivity with at least this specificity. */
  | { readonly kind: "specificity"; readonly target: number }
  /**
   * The least cost where a missed positive costs `ratio` false alarms, at the prevalence of the
   * films or a stated one. Source: Metz 1978, "Basic principles of ROC analysis".
   */
  | { readonly kind: "cost"; readonly ratio: number; readonly prevalence?: number | undefined };

export interface ChosenPoint {
  readonly threshold: number;
  /** In words. */
  readonly rule: string;
  /** On the films that it was chosen on. */
  readonly sensitivity: number;
  readonly specificity: number;
}

interface Rates {
  readonly sensitivity: number;
  readonly specificity: number;
}

interface RuleEntry {
  readonly words: string;
  /** The point with the largest is taken, of equal ones that of the highest threshold. */
  gain(rates: Rates): number;
}

/**
 * The point that the rule asks for, midway to the next lower score, so that it does not sit on a
 * film. `labels` are 1 for positives. Null without both classes; for a specificity that only calling
 * nothing positive reaches, a threshold above every score. Throws `invalid-option` for a target
 * that is no share, or a cost that is not above 0.
 */
export function chooseOperatingPoint(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  rule: OperatingRule,
): ChosenPoint | null {
  const points = rankPoints(labels, scores);
  const last = points.at(-1);
  if (!last || last.truePositives === 0 || last.falsePositives === 0) return null;
  const entry = entryOf(rule, last.truePositives / (last.truePositives + last.falsePositives));
  const ratesOf = ({ truePositives, falsePositives }: Omit<RankPoint, "threshold">): Rates => ({
    sensitivity: truePositives / last.truePositives,
    specificity: (last.falsePositives - falsePositives) / last.falsePositives,
  });
  const nothing = { truePositives: 0, falsePositives: 0 };
  let best = { place: -1, gain: Number.NEGATIVE_INFINITY, rates: ratesOf(nothing) };
  // Calling nothing positive is a choice only where no score reaches the target.
  for (const [place, point] of points.entries()) {
    const rates = ratesOf(point);
    const gain = entry.gain(rates);
    if (gain > best.gain) best = { place, gain, rates };
  }
  return { threshold: thresholdAt(points, best.place), rule: entry.words, ...best.rates };
}

/** Midway between the score at `place` and the next lower one; above all scores for -1. */
export function thresholdAt(points: readonly RankPoint[], place: number): number {
  if (place < 0) return (points[0]!.threshold + 1) / 2;
  const { threshold } = points[place]!;
  const below = points[place + 1]?.threshold ?? threshold;
  const middle = (threshold + below) / 2;
  return middle > below ? middle : threshold;
}

const NEVER = Number.NEGATIVE_INFINITY;

function entryOf(rule: OperatingRule, observed: number): RuleEntry {
  switch (rule.kind) {
    case "youden":
      return {
        words: "largest sensitivity + specificity on validation",
        gain: ({ sensitivity, specificity }) => sensitivity + specificity,
      };
    case "sensitivity":
      checkShare("sensitivity", rule.target);
      return {
        words: `largest specificity with a sensitivity of at least ${rule.target} on validation`,
        gain: ({ sensitivity, specificity }) => (sensitivity >= rule.target ? specificity : NEVER),
      };
    case "specificity":
      checkShare("specificity", rule.target);
      return {
        words: `largest sensitivity with a specificity of at least ${rule.target} on validation`,
        gain: ({ sensitivity, specificity }) => (specificity >= rule.target ? sensitivity : NEVER),
      };
    case "cost": {
      const { ratio, prevalence = observed } = rule;
      if (!(ratio > 0 && Number.isFinite(ratio))) refuse("cost", ratio, "must be above 0");
      checkShare("prevalence", prevalence);
      return {
        words: `least cost on validation, a missed positive as dear as ${ratio} false alarms, at a prevalence of ${Number(prevalence.toFixed(4))}`,
        gain: ({ sensitivity, specificity }) =>
          ratio * prevalence * sensitivity + (1 - prevalence) * specificity,
      };
    }
  }
}

export function checkShare(option: string, value: number): void {
  if (!(value > 0 && value < 1)) refuse(option, value, "must lie between 0 and 1");
}

function refuse(option: string, value: number, problem: string): never {
  throw new HilumError("invalid-option", `Option ${option}: ${value} ${problem}.`, {
    option,
    value,
  });
}
