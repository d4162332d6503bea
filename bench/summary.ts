/** Repeated measurements in three numbers. */

export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function summaryOf(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    low: sorted[0]!,
    high: sorted.at(-1)!,
  };
}

/** As people read it: the median, and in brackets the lowest and the highest. */
export function rangeText({ median, low, high }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}
