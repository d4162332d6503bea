import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { float32, graphBuilder, operators as op } from "../../onnx/index.ts";
import { foldConstants } from "./constants.ts";

describe("folding of constants", () => {
  it("folds a frozen norm's factor, broadcasts and reshapes included, to the bit", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3, 2]);
    const variance = builder.parameter("variance", float32([3], [0.3, 1.7, 0.9]));
    const scale = builder.parameter("scale", float32([1, 3, 1], [1.1, -0.7, 0.2]));
    const deviation = op.sqrt(op.add(variance, builder.scalar(1e-5)));
    const factor = op.mul(scale, op.reciprocal(op.reshape(deviation, [3, 1])));
    const table = op.sub(op.div(op.abs(factor), builder.scalar(3)), op.neg(deviation));
    builder.output(op.add(op.mul(x, factor), op.reduceSum(table)), "y");
    const graph = builder.build();
    const lean = foldConstants(graph);
    expect(operatorCounts(lean)).toEqual({ Mul: 1, ReduceSum: 1, Add: 1, Identity: 1 });
    await expectSameResults(lean, graph);
  });

  it("leaves nodes that read an input or make an output", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [1]);
    const one = builder.scalar(1);
    builder.output(builder.node("Neg", [one], {}, { outputs: ["y"] })[0]!);
    builder.output(builder.node("Add", [x, one], {}, { outputs: ["z"] })[0]!);
    const graph = builder.build();
    expect(foldConstants(graph).nodes).toEqual(graph.nodes);
  });

  it("takes an initializer that is an input too for what may change", () => {
    const builder = graphBuilder();
    const weight = builder.parameter("weight", float32([1], [2]));
    builder.output(op.identity(op.neg(weight)), "y");
    const graph = builder.build();
    const fed = { ...graph, inputs: [{ name: "weight", type: "float32", shape: [1] }] } as const;
    expect(foldConstants(fed).nodes).toEqual(graph.nodes);
  });
});
