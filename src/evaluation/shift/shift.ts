/** Whether the evaluated films are like those of validation. */
import type { GreyImage } from "../../images/index.ts";
import { holm } from "../comparison/holm.ts";
import { energyDistance, kolmogorovSmirnov, populationStability } from "./distances.ts";
import { type EmbeddingShift, embeddingShift } from "./embeddings.ts";

/** What is known of a set: one entry a film in each list. */
export interface ShiftSample {
  /** Numbers of each film by what they are: the score, the mean grey, the aspect, ... */
  readonly features: Readonly<Record<string, readonly number[]>>;
  readonly embeddings?: readonly ArrayLike<number>[] | undefined;
}

export interface FeatureShift {
  readonly feature: string;
  /** Means of the two sets. */
  readonly reference: number;
  readonly current: number;
  /** Kolmogorov and Smirnov's largest difference of the distributions. */
  readonly statistic: number;
  /** Corrected by Holm over the features. */
  readonly p: number;
  readonly stabilityIndex: number;
  readonly energyDistance: number;
}

export interface Shift {
  readonly features: readonly FeatureShift[];
  readonly embeddings: EmbeddingShift | null;
  /** One sentence for each that is both unlikely by chance and large enough to matter. */
  readonly warnings: readonly string[];
}

/** A large set makes every difference significant; one below these is too small to matter. */
export const SHIFT_RULE = { p: 0.01, statistic: 0.15 } as const;

/**
 * The evaluated films against the reference by every feature that both know. A warning needs a
 * corrected p below 0.01 and distributions that are 0.15 apart; for embeddings p alone decides.
 * `name` is what warnings call the reference.
 */
export function shiftBetween(
  reference: ShiftSample,
  current: ShiftSample,
  { seed = 0, name = "the reference" } = {},
): Shift {
  const names = Object.keys(current.features).filter(
    (feature) =>
      (reference.features[feature]?.length ?? 0) > 0 && current.features[feature]!.length > 0,
  );
  const tests = names.map((feature) =>
    kolmogorovSmirnov(reference.features[feature]!, current.features[feature]!),
  );
  const corrected = holm(tests.map(({ p }) => p));
  const features = names.map((feature, index): FeatureShift => {
    const [before, now] = [reference.features[feature]!, current.features[feature]!];
    return {
      feature,
      reference: mean(before),
      current: mean(now),
      statistic: tests[index]!.statistic,
      p: corrected[index]!,
      stabilityIndex: populationStability(before, now),
      energyDistance: energyDistance(before, now),
    };
  });
  const embeddings =
    reference.embeddings && current.embeddings
      ? embeddingShift(reference.embeddings, current.embeddings, { seed })
      : null;
  const warnings = features
    .filter(({ p, statistic }) => p < SHIFT_RULE.p && statistic >= SHIFT_RULE.statistic)
    .map(
      (shift) =>
        `${shift.feature}: the evaluated films differ from ${name} (mean ${round(shift.current)} against ${round(shift.reference)}; ${percent(shift.statistic)} of the distribution moved). Figures of validation need not hold here.`,
    );
  if (embeddings && embeddings.p < SHIFT_RULE.p)
    warnings.push(
      `What the network sees in the evaluated films differs from ${name} (p = ${round(embeddings.p)}). Figures of validation need not hold here.`,
    );
  return { features, embeddings, warnings };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const round = (value: number): number => Number(value.toPrecision(3));
const percent = (share: number): string => `${Math.round(100 * share)} %`;

export interface ImageStatistics {
  /** Of the greys, as shares of white. */
  readonly mean: number;
  readonly deviation: number;
  /** Width over height. */
  readonly aspect: number;
}

export function imageStatistics({
  width,
  height,
  pixels,
}: Pick<GreyImage, "width" | "height" | "pixels">): ImageStatistics {
  let [sum, squares] = [0, 0];
  for (const pixel of pixels) {
    const grey = pixel / 255;
    sum += grey;
    squares += grey * grey;
  }
  const average = sum / pixels.length;
  return {
    mean: average,
    deviation: Math.sqrt(Math.max(0, squares / pixels.length - average * average)),
    aspect: width / height,
  };
}
