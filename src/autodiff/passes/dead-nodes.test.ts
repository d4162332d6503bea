import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { filled, graphBuilder, operators as op } from "../../onnx/index.ts";
import { removeDeadNodes } from "./dead-nodes.ts";

describe("removal of dead nodes", () => {
  it("keeps what an output depends on, and all inputs", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2]);
    const unused = builder.input("unused", "float32", [2]);
    op.exp(op.add(unused, builder.parameter("weight", filled([2], 1))));
    builder.output(op.abs(x), "y");
    const graph = builder.build();
    const lean = removeDeadNodes(graph);
    expect(operatorCounts(lean)).toEqual({ Abs: 1, Identity: 1 });
    expect(lean.inputs).toEqual(graph.inputs);
    expect([...lean.initializers.keys()]).toEqual([]);
    expect([...lean.values.keys()].sort()).toEqual(["Abs_y", "unused", "x", "y"]);
    await expectSameResults(lean, graph);
  });

  it("does not ask a pool for indices that nothing reads", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [1, 2, 4, 4]);
    const { maxima } = op.maxPoolWithIndices(x, { kernel: [2, 2], strides: [2, 2] });
    builder.output(maxima, "y");
    const graph = builder.build();
    const lean = removeDeadNodes(graph);
    expect(lean.nodes[0]!.outputs).toEqual([maxima.name]);
    await expectSameResults(lean, graph);
  });
});
