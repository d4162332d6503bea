import { wilsonInterval } from "../intervals/wilson.ts";

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  /** Null in an empty bin, like all that follows. */
  readonly meanProbability: number | null;
  /** Share of the films in it of which it is true. */
  readonly observed: number | null;
  /** Wilson's interval of the share. */
  readonly low: number | null;
  readonly high: number | null;
}

/** What a picture has room for; the expected calibration error has more. */
const BINS = 10;

/**
 * Bins of equal width, as the expected calibration error sums over, each with its upper edge.
 * `outcomes` are 1 where what the probability speaks of is true.
 */
export function reliabilityBins(
  outcomes: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  { bins = BINS, level = 0.95 } = {},
): ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ n: 0, probability: 0, outcome: 0 }));
  const edges = Array.from({ length: bins - 1 }, (_, bin) => (bin + 1) / bins);
  for (let film = 0; film < probabilities.length; film++) {
    const above = edges.findIndex((edge) => probabilities[film]! <= edge);
    const bin = sums[above < 0 ? bins - 1 : above]!;
    bin.n++;
    bin.probability += probabilities[film]!;
    bin.outcome += outcomes[film]!;
  }
  return sums.map(({ n, probability, outcome }, bin) => {
    const interval = wilsonInterval(outcome, n, level);
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      n,
      meanProbability: n === 0 ? null : probability / n,
      observed: n === 0 ? null : outcome / n,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
    };
  });
}
