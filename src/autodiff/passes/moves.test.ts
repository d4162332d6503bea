import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { type Graph, graphBuilder, operators as op, type Value } from "../../onnx/index.ts";
import { removeCopies } from "./copies.ts";
import { removeDeadNodes } from "./dead-nodes.ts";
import { mergeReshapes, mergeTransposes } from "./moves.ts";

function graphOf(dims: readonly number[], body: (x: Value) => Value): Graph {
  const builder = graphBuilder();
  builder.output(op.abs(body(op.neg(builder.input("x", "float32", dims)))), "y");
  return builder.build();
}

describe("merging of movements", () => {
  it("makes one transpose of three", async () => {
    const graph = graphOf([2, 3, 4], (x) =>
      op.transpose(op.transpose(op.transpose(x, [1, 0, 2]), [2, 1, 0]), [0, 2, 1]),
    );
    const lean = removeDeadNodes(removeCopies(mergeTransposes(graph)));
    expect(operatorCounts(lean)).toEqual({ Neg: 1, Transpose: 1, Abs: 1 });
    await expectSameResults(lean, graph);
  });

  it("leaves nothing of transposes that cancel", async () => {
    const graph = graphOf([2, 3, 4], (x) => op.transpose(op.transpose(x, [2, 0, 1]), [1, 2, 0]));
    const lean = removeDeadNodes(removeCopies(mergeTransposes(graph)));
    expect(operatorCounts(lean)).toEqual({ Neg: 1, Abs: 1 });
    await expectSameResults(lean, graph);
  });

  it("keeps a transpose that something else reads", async () => {
    const builder = graphBuilder();
    const turned = op.transpose(op.neg(builder.input("x", "float32", [2, 3])), [1, 0]);
    builder.output(op.abs(op.transpose(turned, [1, 0])), "y");
    builder.output(op.abs(turned), "turned");
    const graph = builder.build();
    const lean = removeDeadNodes(removeCopies(mergeTransposes(graph)));
    expect(operatorCounts(lean)).toEqual({ Neg: 1, Transpose: 1, Abs: 2 });
    await expectSameResults(lean, graph);
  });

  it("makes one reshape of two", async () => {
    const graph = graphOf([2, 3, 4], (x) => op.reshape(op.reshape(x, [6, 4]), [-1, 8]));
    const lean = removeDeadNodes(removeCopies(mergeReshapes(graph)));
    expect(operatorCounts(lean)).toEqual({ Neg: 1, Reshape: 1, Abs: 1 });
    await expectSameResults(lean, graph);
  });

  it("leaves a reshape that copies a dimension of the first one's result", () => {
    const graph = graphOf([2, 3, 4], (x) => op.reshape(op.reshape(x, [6, 4]), [0, 2, 2]));
    expect(mergeReshapes(graph).nodes).toEqual(graph.nodes);
  });
});
