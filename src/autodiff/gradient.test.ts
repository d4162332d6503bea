import { describe, expect, it } from "vitest";
import { evaluate } from "../../test/support/reference/index.ts";
import {
  float32,
  type GraphBuilder,
  graphBuilder,
  operators as op,
  type Tensor,
  type Value,
} from "../onnx/index.ts";
import { appendGradients } from "./gradient.ts";

const total = (x: Value): Value => op.reduceSum(x, { keepsDims: false });

/** Gradients of `wanted`, as numbers; null where the loss does not depend on it. */
function gradientsOf(
  builder: GraphBuilder,
  loss: Value,
  wanted: readonly Value[],
  feeds: Readonly<Record<string, Tensor>>,
): (number[] | null)[] {
  const gradients = appendGradients(loss, wanted);
  gradients.forEach((gradient, i) => {
    if (gradient) expect(gradient.shape).toEqual(wanted[i]!.shape);
    if (gradient) builder.output(gradient, `gradient:${i}`);
  });
  const results = evaluate(builder.build(), feeds);
  return gradients.map((_, i) => {
    const result = results[`gradient:${i}`];
    return result ? Array.from(result.data, Number) : null;
  });
}

const operatorsOf = (builder: GraphBuilder): string[] =>
  builder.nodes().map(({ operator }) => operator);

describe("appendGradients", () => {
  it("adds up what comes back over every way to the loss", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [3]);
    // x^2 + 3 x + x through three ways that fan out and meet: 2 x + 4.
    const square = op.mul(x, x);
    const scaled = op.mul(x, builder.scalar(3));
    const loss = total(op.add(op.add(square, scaled), x));
    const feeds = { x: float32([3], [1, -2, 0.5]) };
    expect(gradientsOf(builder, loss, [x], feeds)).toEqual([[6, 0, 5]]);
  });

  it("sums over what was broadcast, to the operand's own shape", () => {
    const builder = graphBuilder();
    const a = builder.input("a", "float32", [2, 3]);
    const row = builder.input("row", "float32", [3]);
    const column = builder.input("column", "float32", [2, 1]);
    const scalar = builder.input("scalar", "float32", []);
    const one = builder.input("one", "float32", [1, 1, 1]);
    const y = [row, column, scalar, one].reduce((product, value) => op.mul(product, value), a);
    const feeds = {
      a: float32([2, 3], [1, 2, 3, 4, 5, 6]),
      row: float32([3], [1, 1, 2]),
      column: float32([2, 1], [1, -1]),
      scalar: float32([], [2]),
      one: float32([1, 1, 1], [0.5]),
    };
    const wanted = [a, row, column, scalar, one];
    expect(gradientsOf(builder, total(y), wanted, feeds)).toEqual([
      [1, 1, 2, -1, -1, -2],
      [-3, -3, -3],
      [9, 21],
      [-6],
      [-24],
    ]);
  });

  it("gives the gradient of a value inside the graph", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const inner = op.mul(x, builder.scalar(5));
    const loss = total(op.mul(inner, inner));
    const feeds = { x: float32([2], [1, -1]) };
    expect(gradientsOf(builder, loss, [inner, x], feeds)).toEqual([
      [10, -10],
      [50, -50],
    ]);
  });

  it("gives 1 for the loss itself", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const loss = total(x);
    const feeds = { x: float32([2], [1, 2]) };
    expect(gradientsOf(builder, loss, [loss], feeds)).toEqual([[1]]);
  });

  it("gives nothing for what the loss does not depend on", () => {
    const builder = graphBuilder();
    const [x, y] = ["x", "y"].map((name) => builder.input(name, "float32", [2]));
    const loss = total(op.exp(x!));
    op.exp(y!);
    expect(appendGradients(loss, [y!])).toEqual([undefined]);
  });

  it("sends no gradient through rounding, comparisons and whole numbers", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const whole = op.cast(op.cast(x, "int64"), "float32");
    const isLarge = op.cast(op.greater(x, builder.scalar(0)), "float32");
    const loss = total(op.add(op.add(op.floor(x), whole), isLarge));
    expect(appendGradients(loss, [x])).toEqual([undefined]);
  });

  it("appends nothing for branches in which nothing is wanted", () => {
    const builder = graphBuilder();
    const [x, w] = ["x", "w"].map((name) => builder.input(name, "float32", [4, 4]));
    const deep = op.sigmoid(op.matMul(op.tanh(x!), x!));
    const loss = total(op.mul(deep, w!));
    const before = builder.nodes().length;
    appendGradients(loss, [w!]);
    const appended = operatorsOf(builder).slice(before);
    expect(appended.filter((name) => name !== "Expand" && name !== "Reshape")).toEqual(["Mul"]);
  });

  it("stays the same where a gradient is asked for twice", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const [first, second] = appendGradients(total(op.mul(x, x)), [x, x]);
    expect(second).toBe(first);
  });

  it("refuses an operator without a rule, naming operator and node", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const y = builder.node("Atan", [x], {}, { name: "bend" })[0]!;
    expect(() => appendGradients(total(y), [x])).toThrow(
      expect.objectContaining({
        code: "no-gradient-rule",
        message: expect.stringMatching(/"Atan".*"bend"/),
      }),
    );
  });

  it("has no use for the rule of an operator that no gradient has to pass", () => {
    const builder = graphBuilder();
    const [x, w] = ["x", "w"].map((name) => builder.input(name, "float32", [2]));
    const y = op.mul(builder.node("Atan", [x!])[0]!, w!);
    expect(appendGradients(total(y), [w!])[0]?.shape).toEqual([2]);
  });

  it("refuses shapes that are not known", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", ["N", 2]);
    expect(() => appendGradients(total(op.exp(x)), [x])).toThrow(
      expect.objectContaining({ code: "graph-invalid" }),
    );
  });

  it("refuses a batch norm in training whose batch statistics it cannot see", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [4, 2]);
    const vector = (value: number) => builder.parameter(`v${value}`, float32([2], [value, value]));
    const { y } = op.batchNormalizationInTraining(x, {
      scale: vector(1),
      bias: vector(0),
      mean: vector(2),
      variance: vector(3),
    });
    expect(() => appendGradients(total(y), [x])).toThrow(
      expect.objectContaining({ code: "no-gradient-rule" }),
    );
  });
});
