import { normalQuantile } from "./normal.ts";

/** From `low` to `high`, both in the unit of the value. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The score interval of a proportion of independent films; null where the whole is 0.
 * Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
 */
export function wilsonInterval(part: number, whole: number, level = 0.95): Interval | null {
  if (whole === 0) return null;
  const z = normalQuantile(0.5 + level / 2);
  const share = part / whole;
  const scale = 1 + (z * z) / whole;
  const centre = (share + (z * z) / (2 * whole)) / scale;
  const reach =
    (z / scale) * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole));
  return {
    low: part === 0 ? 0 : Math.max(0, centre - reach),
    high: part === whole ? 1 : Math.min(1, centre + reach),
  };
}
