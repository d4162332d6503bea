/** What is gained where a model leaves the films that it is unsure of to a human. */

export interface RiskCoveragePoint {
  /** Share of the films that the model decides. */
  readonly coverage: number;
  /** Share of those that it reads wrongly. */
  readonly risk: number;
}

export interface RiskCoverage {
  /** One for each distinct confidence, the surest films first. */
  readonly points: readonly RiskCoveragePoint[];
  /** The mean risk over all coverages, films of equal confidence in any order; null without films. */
  readonly area: number | null;
}

/**
 * The risk-coverage curve. `errors` are 1 for films that are read wrongly.
 * Source: Geifman and El-Yaniv 2017, "Selective classification for deep neural networks"; the area as
 * in Geifman, Uziel and El-Yaniv 2019, equation 3.
 */
export function riskCoverage(
  errors: ArrayLike<number>,
  confidences: ArrayLike<number>,
): RiskCoverage {
  const n = errors.length;
  const order = Uint32Array.from({ length: n }, (_, film) => film);
  order.sort((a, b) => confidences[b]! - confidences[a]! || a - b);
  const points: RiskCoveragePoint[] = [];
  let [wrong, sum] = [0, 0];
  for (let start = 0, end = 0; start < n; start = end) {
    let tied = 0;
    while (end < n && confidences[order[end]!] === confidences[order[start]!])
      tied += errors[order[end++]!]!;
    const size = end - start;
    for (let k = 1; k <= size; k++) sum += (wrong + (tied * k) / size) / (start + k);
    wrong += tied;
    points.push({ coverage: end / n, risk: wrong / end });
  }
  return { points, area: n === 0 ? null : sum / n };
}

/** Confidence of a probability at a threshold: 0 there, 1 at either end. */
export function confidenceAt(probability: number, threshold: number): number {
  if (probability >= threshold)
    return threshold === 1 ? 1 : (probability - threshold) / (1 - threshold);
  return (threshold - probability) / threshold;
}

/** 1 for films that are read wrongly at the threshold. */
export function errorsAt(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  threshold: number,
): Uint8Array {
  return Uint8Array.from({ length: scores.length }, (_, film) =>
    Number(scores[film]! >= threshold !== (labels[film] === 1)),
  );
}

export interface UncertainBand {
  /** Probabilities from `low` to below `high` are uncertain: read by a human first. */
  readonly low: number;
  readonly high: number;
  /** Share of the films in it. */
  readonly share: number;
  /** Share of the films outside that are read wrongly; null where none is outside. */
  readonly risk: number | null;
  /** Share of all films that are read wrongly. */
  readonly riskOfAll: number;
}

/**
 * The narrowest band about the threshold, equally confident on both sides, outside of which the
 * share of wrong films is at most `risk`; all films where nothing else reaches it. To be chosen on
 * validation. Null without films.
 */
export function uncertainBand(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  { threshold, risk }: { readonly threshold: number; readonly risk: number },
): UncertainBand | null {
  const n = scores.length;
  if (n === 0) return null;
  const errors = errorsAt(labels, scores, threshold);
  const confidences = Float64Array.from({ length: n }, (_, film) =>
    confidenceAt(scores[film]!, threshold),
  );
  const { points } = riskCoverage(errors, confidences);
  const riskOfAll = points.at(-1)!.risk;
  const widest = points.findLastIndex((point) => point.risk <= risk);
  if (widest < 0) return { low: 0, high: 1, share: 1, risk: null, riskOfAll };
  const levels = [...new Set(confidences)].toSorted((a, b) => b - a);
  const next = levels[widest + 1];
  // Midway between the last film that is decided and the first that is not.
  const reach = next === undefined ? 0 : (levels[widest]! + next) / 2;
  return {
    low: threshold * (1 - reach),
    high: threshold + (1 - threshold) * reach,
    share: 1 - points[widest]!.coverage,
    risk: points[widest]!.risk,
    riskOfAll,
  };
}
