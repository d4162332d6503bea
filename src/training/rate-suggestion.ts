/** Where in a range test to take the rate. */

export interface RatePoint {
  readonly lr: number;
  /** Of the step. */
  readonly loss: number;
  /** A moving average of the losses up to it. */
  readonly smoothed: number;
}

/**
 * The rate half-way down the longest valley of the smoothed loss; null where it never falls. Source:
 * fastai 2.8, callback/schedule.py, `valley`, which drops the first tenth and the last five points.
 */
export function suggestRate(points: readonly RatePoint[]): number | null {
  const used = points.slice(Math.floor(points.length / 10), -5);
  const lengths = used.map(() => 1);
  let end = 0;
  for (let i = 1; i < used.length; i++)
    for (let j = 0; j < i; j++) {
      if (used[i]!.smoothed < used[j]!.smoothed && lengths[i]! < lengths[j]! + 1)
        lengths[i] = lengths[j]! + 1;
      if (lengths[end]! < lengths[i]!) end = i;
    }
  const length = lengths[end] ?? 1;
  if (length < 2) return null;
  const start = end - length;
  const section = (end - start) / 3;
  const at = start + Math.floor(section) + Math.floor(section / 2);
  return used[Math.max(0, at)]!.lr;
}
