/** ROC and precision-recall curves with pointwise bands from the bootstrap by patient. */
import { quantile } from "../intervals/bca.ts";
import { bootstrapWeights, clustersOf } from "../intervals/clusters.ts";
import { type IntervalOptions, intervalSettings } from "../intervals/settings.ts";
import { inOrder, type SortedScores, sortScores, type Weights } from "../sorted-scores.ts";

export interface BandPoint {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

export interface CurveBands {
  /** Sensitivity over 1 - specificity. */
  readonly roc: readonly BandPoint[];
  /** Precision over recall, from the recall of 1 % on. */
  readonly precisionRecall: readonly BandPoint[];
}

/** A curve's heights at a hundred steps: where it is read off, and what a round leaves undefined. */
const STEPS = 100;

/**
 * Pointwise percentile bands; both empty without both classes or rounds. They hold each point of the
 * curve at the level, not the whole curve. Throws `invalid-option`.
 */
export function curveBands(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  { patients, ...options }: IntervalOptions = {},
): CurveBands {
  const { rounds, seed, level } = intervalSettings(options);
  const sorted = sortScores(labels, scores);
  const positives = sorted.labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === scores.length || rounds === 0)
    return { roc: [], precisionRecall: [] };
  const held = new Uint32Array(scores.length);
  const heights = { roc: columns(), precisionRecall: columns() };
  for (const weights of bootstrapWeights(clustersOf(scores.length, patients), { rounds, seed }))
    readOff(sorted, inOrder(sorted, weights, held), heights);
  const bands = (values: readonly number[][]): BandPoint[] =>
    values.flatMap((column, step) => {
      if (column.length === 0) return [];
      const rising = Float64Array.from(column).sort();
      return [
        {
          x: step / STEPS,
          low: quantile(rising, (1 - level) / 2),
          high: quantile(rising, (1 + level) / 2),
        },
      ];
    });
  return { roc: bands(heights.roc), precisionRecall: bands(heights.precisionRecall) };
}

type Heights = Readonly<Record<"roc" | "precisionRecall", number[][]>>;
const columns = (): number[][] => Array.from({ length: STEPS + 1 }, () => []);

/** Adds one round's heights: sensitivity linear between the curve's points, precision of the next point. */
function readOff({ scores, labels }: SortedScores, weights: Weights, heights: Heights): void {
  let [positives, negatives] = [0, 0];
  for (let place = 0; place < weights.length; place++) {
    const share = weights[place]! * labels[place]!;
    positives += share;
    negatives += weights[place]! - share;
  }
  if (positives === 0 || negatives === 0) return;
  let [found, passed, rocStep, recallStep] = [0, 0, 0, 1];
  let [foundBefore, passedBefore] = [0, 0];
  for (let place = scores.length - 1; place >= 0; place--) {
    const share = weights[place]! * labels[place]!;
    found += share;
    passed += weights[place]! - share;
    if (place > 0 && scores[place - 1] === scores[place]) continue;
    // A step that the curve climbs at is read at its top.
    while (rocStep <= STEPS && (rocStep * negatives) / STEPS < passed) {
      const part = ((rocStep * negatives) / STEPS - passedBefore) / (passed - passedBefore);
      heights.roc[rocStep++]!.push((foundBefore + part * (found - foundBefore)) / positives);
    }
    while (recallStep <= STEPS && found >= (recallStep * positives) / STEPS)
      heights.precisionRecall[recallStep++]!.push(found / (found + passed));
    foundBefore = found;
    passedBefore = passed;
  }
  while (rocStep <= STEPS) heights.roc[rocStep++]!.push(1);
}
