/**
 * What a sweep may choose from: dimensions in a fixed order, a condition's parent before its child.
 * Read from space.json, whose form SpaceSchema says. Read next: space-file.ts, which checks it.
 */

export type Choice = string | number | boolean | null;
/** A configuration: a value for each active dimension, by the name of the training option. */
export type Params = Readonly<Record<string, Choice>>;

/** Active only where the named dimension has one of these values. */
export interface Condition {
  readonly name: string;
  readonly values: readonly Choice[];
}

export interface NumberDimension {
  readonly name: string;
  readonly kind: "number";
  readonly low: number;
  readonly high: number;
  /** Drawn evenly in the logarithm. */
  readonly isLog: boolean;
  /** Distance of the values from one another, from `low`; null for any number between. */
  readonly step: number | null;
  readonly when: Condition | null;
}

export interface ChoiceDimension {
  readonly name: string;
  readonly kind: "choice";
  readonly choices: readonly Choice[];
  readonly when: Condition | null;
}

export type Dimension = NumberDimension | ChoiceDimension;

export interface Space {
  readonly dimensions: readonly Dimension[];
  /** Options that every trial has alike. */
  readonly fixed: Params;
}

/** Whether a dimension counts, given what was chosen before it. */
export function isActive({ when }: Dimension, params: Params): boolean {
  return when === null || (when.name in params && when.values.includes(params[when.name]!));
}

/** Where the values of a number's dimension begin and end, on the scale in which they are drawn. */
export function drawingRange({ low, high, isLog, step }: NumberDimension): [number, number] {
  // Half a step beyond each end, so that the first and the last value are as likely as the others.
  const half = (step ?? 0) / 2;
  return isLog ? [Math.log(low - half), Math.log(high + half)] : [low - half, high + half];
}

/** Where a value lies between the ends of the drawing scale, from 0 to 1. */
export function placeIn(dimension: NumberDimension, value: number): number {
  const [low, high] = drawingRange(dimension);
  return ((dimension.isLog ? Math.log(value) : value) - low) / (high - low);
}

/** The value at a place of the drawing scale: back from the logarithm, on the nearest step. */
export function valueAt({ low, high, isLog, step }: NumberDimension, place: number): number {
  const value = isLog ? Math.exp(place) : place;
  const stepped = step === null ? value : low + Math.round((value - low) / step) * step;
  // Twelve digits are more than any option needs, and spare 0.30000000000000004.
  return Number(Math.min(high, Math.max(low, stepped)).toPrecision(12));
}

/** The value of a dimension at `share` in [0, 1), even on the drawing scale. */
export function valueOfShare(dimension: Dimension, share: number): Choice {
  if (dimension.kind === "choice")
    return dimension.choices[Math.floor(share * dimension.choices.length)]!;
  const [low, high] = drawingRange(dimension);
  return valueAt(dimension, low + share * (high - low));
}

/** A configuration made dimension by dimension, of those that are active. */
export function paramsBy(space: Space, choose: (dimension: Dimension, index: number) => Choice) {
  const params: Record<string, Choice> = {};
  for (const [index, dimension] of space.dimensions.entries())
    if (isActive(dimension, params)) params[dimension.name] = choose(dimension, index);
  return params as Params;
}
