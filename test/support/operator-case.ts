/**
 * A case of an operator: seeded operands and a function that builds a little graph from them. The
 * reference evaluator's tests and the gradient checks walk tables of these.
 */
import {
  type DataType,
  float32,
  type Graph,
  type GraphBuilder,
  graphBuilder,
  sizeOf,
  type Tensor,
  tensor,
  type Value,
} from "../../src/onnx/index.ts";
import { type RandomStream, randomStream } from "../../src/random.ts";
import { arrayOf, tensorOf } from "./reference/index.ts";

export interface Operand {
  readonly type: DataType;
  readonly dims: readonly number[];
  /** Whether gradients with respect to it are checked. */
  readonly isTrained: boolean;
  draw(random: RandomStream): Tensor;
}

export interface OperatorCase {
  readonly operator: string;
  readonly title: string;
  readonly operands: readonly Operand[];
  build(...operands: Value[]): Value | readonly Value[];
}

function drawn(dims: readonly number[], next: (random: RandomStream) => number): Operand {
  return {
    type: "float32",
    dims,
    isTrained: true,
    draw: (random) =>
      float32(
        dims,
        Array.from({ length: sizeOf(dims) }, () => next(random)),
      ),
  };
}

/** Standard normal. */
export const normal = (dims: readonly number[]): Operand => drawn(dims, (r) => r.normal());
/** Uniform in [low, high). */
export const between = (low: number, high: number, dims: readonly number[]): Operand =>
  drawn(dims, (r) => r.between(low, high));
/** At least 0.2 from zero, either sign: away from the kinks of ReLU and its kin. */
export const nonZero = (dims: readonly number[]): Operand =>
  drawn(dims, (r) => (r.chance(0.5) ? 1 : -1) * r.between(0.2, 2));
export const positive = (dims: readonly number[]): Operand => between(0.3, 2, dims);

/** All elements at least 0.1 apart and none near zero, shuffled: away from ties. */
export function distinct(dims: readonly number[]): Operand {
  const count = sizeOf(dims);
  const ladder = Array.from({ length: count }, (_, i) => 0.1 * (i - count / 2) + 0.045);
  return {
    type: "float32",
    dims,
    isTrained: true,
    draw: (random) => float32(dims, random.shuffled(ladder)),
  };
}

/** Stated contents, of which no gradient is taken. */
export function given(
  type: DataType,
  dims: readonly number[],
  values: readonly (number | bigint)[],
): Operand {
  const contents = tensorOf(arrayOf(type, { dims, data: values }));
  return { type, dims, isTrained: false, draw: () => tensor(type, dims, contents.data) };
}

/** The same operand, of which no gradient is taken. */
export const fixed = (operand: Operand): Operand => ({ ...operand, isTrained: false });

export interface DrawnCase {
  readonly builder: GraphBuilder;
  readonly operands: readonly Value[];
  readonly results: readonly Value[];
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** The case's operands as graph inputs, its results (not yet outputs) and the seeded feeds. */
export function drawCase(entry: OperatorCase): DrawnCase {
  const builder = graphBuilder();
  const operands = entry.operands.map(({ type, dims }, i) => builder.input(`x${i}`, type, dims));
  const built = entry.build(...operands);
  const results = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
  const feeds = entry.operands.map(({ draw }, i): [string, Tensor] => [
    `x${i}`,
    draw(randomStream(1, entry.operator, entry.title, i)),
  ]);
  return { builder, operands, results, feeds: Object.fromEntries(feeds) };
}

/** The case's graph with outputs `y0`, `y1`, ... */
export function forwardOf({ builder, results }: DrawnCase): Graph {
  results.forEach((result, i) => {
    builder.output(result, `y${i}`);
  });
  return builder.build();
}

/** Names of a table that no case is about. */
export function withoutCase(
  table: Readonly<Record<string, unknown>>,
  cases: readonly OperatorCase[],
): string[] {
  const covered = new Set(cases.map((entry) => entry.operator));
  return Object.keys(table).filter((operator) => !covered.has(operator));
}
