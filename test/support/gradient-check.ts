/**
 * Gradient checks. The loss is sum(w y) for a random w, so that one gradient tests a whole Jacobian:
 *   1. the gradient graph, in double precision, against central differences of the forward graph;
 *   2. each gradient asked for alone against the same asked for together;
 *   3. the single-precision graph in ONNX Runtime against the double-precision evaluation.
 */
import { describe, expect, it } from "vitest";
import { appendGradients, type GradientTable } from "../../src/autodiff/index.ts";
import { openSession } from "../../src/onnx/index.node.ts";
import {
  filled,
  type Graph,
  operators as op,
  type Tensor,
  type Value,
} from "../../src/onnx/index.ts";
import { randomStream } from "../../src/random.ts";
import { expectClose, type Tolerance } from "./close.ts";
import { drawCase, forwardOf, type OperatorCase, withoutCase } from "./operator-case.ts";
import { evaluate, type NdArray, numbersOf } from "./reference/index.ts";

/**
 * Central differences with a step of 1e-4 err by the third derivative times 2e-9, and rules hold
 * their constants (1/3, sqrt(2/pi)) in single precision, 6e-8 off.
 */
const DIFFERENCES: Tolerance = { ofLargest: 1e-6, absolute: 1e-8 };
/** Sums of some hundred single-precision products, twice: forward and backward. */
const SINGLE_PRECISION: Tolerance = { ofLargest: 2e-5, absolute: 1e-6 };
const SAME: Tolerance = { ofLargest: 1e-12, absolute: 1e-14 };
const STEP = 1e-4;

type Feeds = Readonly<Record<string, Tensor | NdArray>>;

/** Declares tests for every case, and one that fails when a rule of the table has none. */
export function checkGradients(rules: GradientTable, cases: readonly OperatorCase[]): void {
  it("has a case for every rule", () => {
    expect(withoutCase(rules, cases)).toEqual([]);
  });
  describe.each(cases.map((entry) => [`${entry.operator}: ${entry.title}`, entry] as const))(
    "%s",
    (_, entry) => {
      it("agrees with central differences", () => checkByDifferences(entry));
      it("agrees in single precision", () => checkInSinglePrecision(entry));
    },
  );
}

/** Positions of the operands of which gradients are taken. */
function trainedOf(entry: OperatorCase): number[] {
  return entry.operands.flatMap((operand, i) => (operand.isTrained ? [i] : []));
}

function cotangent(entry: OperatorCase, position: number, count: number): number[] {
  const random = randomStream(1, "cotangent", entry.operator, entry.title, position);
  return Array.from({ length: count }, () => Math.fround(random.normal()));
}

export interface GradientGraph {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Outputs `y0`, ... and `gradient:0`, ... (absent where the loss does not depend on the operand). */
export function gradientGraph(entry: OperatorCase, wanted = trainedOf(entry)): GradientGraph {
  const drawn = drawCase(entry);
  const { builder } = drawn;
  const feeds: Record<string, Tensor> = { ...drawn.feeds };
  const terms = drawn.results.map((result, i) => {
    const dims = result.shape.map(Number);
    const weight = builder.input(`w${i}`, "float32", dims);
    const values = cotangent(
      entry,
      i,
      dims.reduce((a, b) => a * b, 1),
    );
    feeds[`w${i}`] = { type: "float32", dims, data: Float32Array.from(values) };
    return op.reduceSum(op.mul(result, weight), { keepsDims: false });
  });
  const loss = op.sum(terms[0]!, ...terms.slice(1));
  const gradients = appendGradients(
    loss,
    wanted.map((i) => drawn.operands[i]!),
  );
  drawn.results.forEach((result, i) => {
    builder.output(result, `y${i}`);
  });
  gradients.forEach((gradient, i) => {
    if (gradient) builder.output(gradient, `gradient:${wanted[i]}`);
  });
  return { graph: builder.build(), feeds };
}

function checkByDifferences(entry: OperatorCase): void {
  const wanted = trainedOf(entry);
  expect(entryOperators(entry)).toContain(entry.operator);
  const { graph, feeds } = gradientGraph(entry, wanted);
  const together = evaluate(graph, feeds);
  for (const i of wanted) {
    const expected = centralDifferences(entry, i);
    const gradient = together[`gradient:${i}`] ?? zerosLike(expected);
    expectClose(gradient, expected, DIFFERENCES, `gradient of operand ${i}`);
    if (wanted.length === 1) continue;
    const alone = gradientGraph(entry, [i]);
    const result = evaluate(alone.graph, alone.feeds)[`gradient:${i}`] ?? zerosLike(expected);
    expectClose(result, gradient, SAME, `gradient of operand ${i} alone`);
  }
}

function entryOperators(entry: OperatorCase): string[] {
  return forwardOf(drawCase(entry)).nodes.map((node) => node.operator);
}

const zerosLike = ({ dims, data }: NdArray): NdArray => ({
  type: "float32",
  dims,
  data: new Float64Array(data.length),
});

/** d sum(w y) / dx by (f(x + h) - f(x - h)) / 2h, one element after the other. */
function centralDifferences(entry: OperatorCase, position: number): NdArray {
  const drawn = drawCase(entry);
  const graph = forwardOf(drawn);
  const { dims, data } = drawn.feeds[`x${position}`]!;
  const lossAt = (feeds: Feeds): number => {
    const results = Object.values(evaluate(graph, feeds)).map(numbersOf);
    return results.reduce((total, y, i) => {
      const weights = cotangent(entry, i, y.length);
      return total + y.reduce((sum, value, k) => sum + value * weights[k]!, 0);
    }, 0);
  };
  const x = Float64Array.from(data as Float32Array);
  const slopes = x.map((centre, k) => {
    const moved = (step: number) => {
      const shifted = { type: "float32" as const, dims, data: x.with(k, centre + step) };
      return lossAt({ ...drawn.feeds, [`x${position}`]: shifted });
    };
    return (moved(STEP) - moved(-STEP)) / (2 * STEP);
  });
  return { type: "float32", dims, data: slopes };
}

async function checkInSinglePrecision(entry: OperatorCase): Promise<void> {
  const { graph, feeds } = gradientGraph(entry);
  const reference = evaluate(graph, feeds);
  for (const [name, computed] of Object.entries(await computedBy(graph, feeds)))
    expectClose(computed, reference[name]!, SINGLE_PRECISION, name);
}

async function computedBy(graph: Graph, feeds: Readonly<Record<string, Tensor>>) {
  const session = await openSession(graph, { threads: 1 });
  const known = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
  const results = await session.run(known);
  await session.close();
  return results;
}

/** A stated subgradient: operands at a kink, and the exact gradient of sum(y) that is chosen there. */
export interface KinkCase {
  readonly title: string;
  readonly at: readonly Tensor[];
  readonly build: (...operands: Value[]) => Value;
  /** One list per operand. */
  readonly chosen: readonly (readonly number[])[];
}

/** Declares tests that compare the chosen subgradients exactly, in both precisions. */
export function checkKinks(cases: readonly KinkCase[]): void {
  it.each(cases.map((entry) => [entry.title, entry] as const))("%s", async (_, entry) => {
    const { at, chosen } = entry;
    const ones: OperatorCase = {
      operator: "",
      title: entry.title,
      operands: at.map((contents) => ({
        type: contents.type,
        dims: contents.dims,
        isTrained: true,
        draw: () => contents,
      })),
      build: entry.build,
    };
    const { graph, feeds } = gradientGraph(ones);
    const { dims } = feeds.w0!;
    const unit = { ...feeds, w0: filled(dims, 1) };
    const exact = evaluate(graph, unit);
    const computed = await computedBy(graph, unit);
    for (const [i, expected] of chosen.entries()) {
      const name = `gradient:${i}`;
      expect(Array.from(exact[name]!.data, Number)).toEqual(expected);
      expect(Array.from(computed[name]!.data, Number)).toEqual(expected);
    }
  });
}
