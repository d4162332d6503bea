/**
 * Probabilities made honest: a map of each one, as data, as a function and as nodes of a graph. The
 * maps are fitted on validation (evaluation/calibration) and travel in the classifier's file.
 */
import { float32, operators as op, type Value } from "../onnx/index.ts";

/** A map of one probability. A point of `knots` is joined to the next by a line; x rises, y never falls. */
export type ProbabilityMap =
  | { readonly kind: "logistic"; readonly slope: number; readonly intercept: number }
  | { readonly kind: "beta"; readonly a: number; readonly b: number; readonly c: number }
  | { readonly kind: "isotonic"; readonly knots: readonly (readonly [x: number, y: number])[] };

export type CalibrationMethod = "temperature" | "platt" | "isotonic" | "beta";

export type Calibration =
  /** Two classes; the map is of the positive one. */
  | { readonly method: CalibrationMethod; readonly positive: 0 | 1; readonly map: ProbabilityMap }
  /** Findings: a map for each, null where the data gave none. */
  | { readonly method: CalibrationMethod; readonly maps: readonly (ProbabilityMap | null)[] }
  /** Several classes: the logits divided by the temperature. */
  | { readonly method: "temperature"; readonly temperature: number };

/** Probabilities are kept this far from 0 before a logarithm; single precision holds it. */
export const PROBABILITY_CLIP = 1e-12;

const logOf = (p: number): number => Math.log(Math.max(PROBABILITY_CLIP, p));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** The probability after the map. `rest` is 1 - p, given apart so that it keeps its digits near 0. */
export function mapProbability(map: ProbabilityMap, p: number, rest = 1 - p): number {
  switch (map.kind) {
    case "logistic":
      return sigmoid(map.slope * (logOf(p) - logOf(rest)) + map.intercept);
    case "beta":
      return sigmoid(map.a * logOf(p) - map.b * logOf(rest) + map.c);
    case "isotonic": {
      const { first, steps } = climbsOf(map);
      return steps.reduce(
        (sum, { x, width, rise }) => sum + rise * Math.min(1, Math.max(0, (p - x) / width)),
        first,
      );
    }
  }
}

/** One film's probabilities after the calibration, in the order of the labels. */
export function calibrateProbabilities(
  calibration: Calibration,
  probabilities: ArrayLike<number>,
): number[] {
  const values = Array.from(probabilities);
  if ("map" in calibration) {
    const { positive, map } = calibration;
    const p = mapProbability(map, values[positive]!, values[1 - positive]!);
    return positive === 1 ? [1 - p, p] : [p, 1 - p];
  }
  if ("maps" in calibration)
    return values.map((p, label) => {
      const map = calibration.maps[label];
      return map ? mapProbability(map, p) : p;
    });
  const raised = values.map((p) => Math.exp(logOf(p) / calibration.temperature));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / sum);
}

/** The same in a graph: probabilities `[N, C]` to probabilities `[N, C]`. */
export function calibratedValue(probabilities: Value, calibration: Calibration): Value {
  const column = (label: number) =>
    op.slice(probabilities, [{ start: label, end: label + 1, axis: 1 }]);
  if ("map" in calibration) {
    const { positive, map } = calibration;
    const p = mappedValue(column(positive), column(1 - positive), map);
    const rest = op.sub(probabilities.builder.scalar(1), p);
    return op.concat(positive === 1 ? [rest, p] : [p, rest], 1);
  }
  if ("maps" in calibration) {
    const one = probabilities.builder.scalar(1);
    const [first, ...others] = calibration.maps.map((map, label) => {
      const p = column(label);
      return map ? mappedValue(p, op.sub(one, p), map) : p;
    });
    return op.concat([first!, ...others], 1);
  }
  const { temperature } = calibration;
  return op.softmax(op.div(logValue(probabilities), probabilities.builder.scalar(temperature)), -1);
}

const logValue = (p: Value): Value => op.log(op.max(p, p.builder.scalar(PROBABILITY_CLIP)));

function mappedValue(p: Value, rest: Value, map: ProbabilityMap): Value {
  const { builder } = p;
  const times = (value: Value, factor: number) => op.mul(value, builder.scalar(factor));
  switch (map.kind) {
    case "logistic": {
      const logit = op.sub(logValue(p), logValue(rest));
      return op.sigmoid(op.add(times(logit, map.slope), builder.scalar(map.intercept)));
    }
    case "beta": {
      const odds = op.sub(times(logValue(p), map.a), times(logValue(rest), map.b));
      return op.sigmoid(op.add(odds, builder.scalar(map.c)));
    }
    case "isotonic": {
      const { first, steps } = climbsOf(map);
      const base = op.mul(p, builder.scalar(0));
      if (steps.length === 0) return op.add(base, builder.scalar(first));
      const row = (values: readonly number[]) =>
        builder.constant(float32([1, values.length], Float32Array.from(values)));
      const passed = op.div(
        op.sub(p, row(steps.map(({ x }) => x))),
        row(steps.map((s) => s.width)),
      );
      const clipped = op.clip(passed, 0, 1);
      const rises = float32(
        [steps.length, 1],
        Float32Array.from(steps, ({ rise }) => rise),
      );
      return op.add(op.matMul(clipped, builder.constant(rises)), builder.scalar(first));
    }
  }
}

/**
 * The line between the knots as a sum of climbs from one to the next, each cut at its ends: nothing
 * grows beyond 1, so that single precision keeps its digits however steep a climb is. Knots that
 * are one in single precision become a climb over the smallest width.
 */
function climbsOf({ knots }: Extract<ProbabilityMap, { kind: "isotonic" }>): {
  readonly first: number;
  readonly steps: readonly { readonly x: number; readonly width: number; readonly rise: number }[];
} {
  const steps = knots.slice(1).flatMap(([x, y], index) => {
    const [before, low] = knots[index]!;
    const start = Math.fround(before);
    return y === low ? [] : [{ x: start, width: Math.max(x - start, 1e-7), rise: y - low }];
  });
  return { first: knots[0]![1], steps };
}
