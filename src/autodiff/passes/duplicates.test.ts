import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { float32, graphBuilder, operators as op } from "../../onnx/index.ts";
import { shareConstants, shareSubexpressions } from "./duplicates.ts";

describe("sharing", () => {
  it("computes equal subexpressions once, whatever depends on them too", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3]);
    const twice = () => op.exp(op.mul(x, builder.scalar(2)));
    builder.output(op.add(twice(), op.neg(twice())), "y");
    const graph = builder.build();
    const lean = shareSubexpressions(graph);
    expect(operatorCounts(lean)).toEqual({ Mul: 1, Exp: 1, Neg: 1, Add: 1, Identity: 1 });
    await expectSameResults(lean, graph);
  });

  it("tells nodes apart by their attributes and by the outputs that are asked for", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [1, 1, 4, 4]);
    const window = { kernel: [2, 2], strides: [2, 2] };
    const { maxima } = op.maxPoolWithIndices(x, window);
    const parts = [op.leakyRelu(x, 0.1), op.leakyRelu(x, 0.2)] as const;
    builder.output(op.add(op.sub(...parts), op.reduceMax(maxima)), "y");
    builder.output(op.maxPool(x, window), "pooled");
    const graph = builder.build();
    expect(shareSubexpressions(graph).nodes).toEqual(graph.nodes);
  });

  it("keeps the nodes that make the graph's outputs", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [3]);
    builder.output(builder.node("Abs", [x], {}, { outputs: ["first"] })[0]!);
    builder.output(builder.node("Abs", [x], {}, { outputs: ["second"] })[0]!);
    const graph = builder.build();
    const lean = shareSubexpressions(graph);
    expect(operatorCounts(lean)).toEqual({ Abs: 2 });
    await expectSameResults(lean, graph);
  });

  it("keeps equal constants once, and apart what differs in shape or type", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const ones = ["a", "b", "c"].map((name) => builder.parameter(name, float32([2], [1, 1])));
    const column = builder.parameter("d", float32([2, 1], [1, 1]));
    builder.output(op.sum(x, ...ones, column), "y");
    const graph = builder.build();
    const lean = shareConstants(graph);
    expect([...lean.initializers.keys()]).toEqual(["a", "d"]);
    await expectSameResults(lean, graph);
  });
});
